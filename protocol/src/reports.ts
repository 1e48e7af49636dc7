import * as z from "zod";
import { Container, Username } from "./containers.ts";
import { OperationId } from "./commands.ts";

const Count = z.int().nonnegative();

/** With less of either left, a backend refuses creates. */
export const ADMISSION_FLOOR = { memoryMiB: 512, diskMiB: 2048 } as const;

/** Sent on every connect, on change, and every 10 s. */
export const BackendStatus = z.object({
  protocol: z.int(),
  version: z.string().max(64),
  hostname: z.string().max(255),
  addresses: z.array(z.string().max(64)).max(64),
  docker: z.object({ reachable: z.boolean(), version: z.string().max(64).nullable() }),
  capacity: z.object({
    /** Hard ceiling: creates beyond it are refused. */
    maxContainers: Count,
    /** How many containers this machine serves well (half a core and the memory limit each); never above the ceiling. */
    comfortableContainers: Count,
    cpus: z.number().positive(),
    memoryMiB: Count,
    /** Of the file system that containers are on. */
    diskMiB: Count.optional(),
    /** Whether the Engine enforces the disk limit of each container; null until it has been tried. */
    diskQuotaEnforced: z.boolean().nullable(),
    /** What instances may reach: the public internet alone, private networks too, or nothing. */
    egress: z.enum(["internet", "all", "none"]).optional(),
    /** Whether the machine's firewall keeps them to it; null where that cannot be seen. */
    egressEnforced: z.boolean().nullable().optional(),
    /** The host's ports that new containers get theirs from, both ends included. */
    portRange: z.object({ first: z.int().min(1), last: z.int().max(65_535) }).optional(),
  }),
  usage: z.object({
    containers: Count,
    running: Count,
    /** Made ahead for whoever comes next; in none of the other counts. */
    warmSlots: Count.optional(),
    memoryAvailableMiB: Count,
    diskFreeMiB: Count,
    /** How busy the whole machine's processors were since the status before, at the shortest over a second; 0 to 100. */
    cpuPercent: z.number().min(0).max(100).optional(),
  }),
  draining: z.boolean(),
});
export type BackendStatus = z.infer<typeof BackendStatus>;

/** Sent on every connect: the whole truth, from which the main server corrects its record. */
export const Inventory = z.object({ containers: z.array(Container) });
export type Inventory = z.infer<typeof Inventory>;

/** What happened to a container without a command's asking. */
const ChangeCause = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("started") }),
  z.object({ kind: z.literal("died"), exitCode: z.int(), oomKilled: z.boolean() }),
  z.object({ kind: z.literal("stopped-by-hand") }),
  z.object({ kind: z.literal("removed-by-hand") }),
]);
export type ChangeCause = z.infer<typeof ChangeCause>;

export const ContainerChanged = z.object({ container: Container, cause: ChangeCause });
export type ContainerChanged = z.infer<typeof ContainerChanged>;

export const OperationPhase = z.enum(["pulling-image", "allocating-ports", "creating", "starting", "waiting-for-ssh"]);
export type OperationPhase = z.infer<typeof OperationPhase>;

/** `current` and `total` are bytes, of an image pull. */
export const OperationProgress = z.object({
  operationId: OperationId.optional(),
  username: Username,
  phase: OperationPhase,
  current: Count.optional(),
  total: Count.optional(),
});
export type OperationProgress = z.infer<typeof OperationProgress>;

/** Every unasked event from backend to main server, and its payload. */
export const REPORTS = {
  "backend-status": BackendStatus,
  inventory: Inventory,
  "container-changed": ContainerChanged,
  "operation-progress": OperationProgress,
} as const;

export type ReportName = keyof typeof REPORTS;
export type Report<Name extends ReportName> = z.infer<(typeof REPORTS)[Name]>;
