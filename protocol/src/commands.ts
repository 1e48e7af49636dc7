import * as z from "zod";
import { Container, Ports, Username } from "./containers.ts";
import { OpenStream } from "./streams.ts";

/** Makes a retry safe for 24 hours: a repeat of a success executes nothing. */
export const OperationId = z.guid("must be a UUID");

/** What an instance may use; each can only lower the backend's own limit. */
export const Limits = z.strictObject({
  memoryMiB: z.int().positive().optional(),
  cpus: z.number().positive().optional(),
  pids: z.int().positive().optional(),
  diskMiB: z.int().positive().optional(),
});
export type Limits = z.infer<typeof Limits>;

export const MAX_SSH_KEYS = 16;
const SshPublicKeys = z.array(z.string()).min(1).max(MAX_SSH_KEYS);

const OfUser = z.object({ username: Username, operationId: OperationId.optional() });

const CreateContainer = OfUser.extend({
  sshPublicKey: z.string().optional(),
  sshPublicKeys: SshPublicKeys.optional(),
  image: z.string().min(1).max(128).optional(),
  limits: Limits.optional(),
})
  .refine((request) => (request.sshPublicKey === undefined) !== (request.sshPublicKeys === undefined), {
    message: "exactly one of sshPublicKey and sshPublicKeys is required",
    path: ["sshPublicKey"],
  })
  .transform(({ sshPublicKey, sshPublicKeys, ...rest }) => ({
    ...rest,
    sshPublicKeys: sshPublicKeys ?? [sshPublicKey ?? ""],
  }));

const ListContainers = z.object({ username: Username.optional() });
const SetSshKeys = OfUser.extend({ sshPublicKeys: SshPublicKeys });
const SetDraining = z.object({ draining: z.boolean() });

/** After a delete there may have been nothing to delete. */
const DeletedData = z.object({
  existed: z.boolean(),
  containerId: Container.shape.containerId.nullable(),
  ports: Ports.nullable(),
});
export type DeletedData = z.infer<typeof DeletedData>;

const ListData = z.object({ containers: z.array(Container) });
const DrainingData = z.object({ draining: z.boolean() });
const StreamData = OpenStream.pick({ streamId: true });

/** Every command: its request, and the `data` of its successful reply. */
export const COMMANDS = {
  "create-container": { request: CreateContainer, data: Container },
  "start-container": { request: OfUser, data: Container },
  "stop-container": { request: OfUser, data: Container },
  "delete-container": { request: OfUser, data: DeletedData },
  "list-containers": { request: ListContainers, data: ListData },
  "set-ssh-keys": { request: SetSshKeys, data: Container },
  "set-draining": { request: SetDraining, data: DrainingData },
  "open-stream": { request: OpenStream, data: StreamData },
} as const;

export type CommandName = keyof typeof COMMANDS;
export const COMMAND_NAMES = Object.keys(COMMANDS) as CommandName[];

/** What a sender writes. */
export type CommandInput<Name extends CommandName> = z.input<(typeof COMMANDS)[Name]["request"]>;
/** What a receiver gets, after validation. */
export type CommandRequest<Name extends CommandName> = z.output<(typeof COMMANDS)[Name]["request"]>;
export type CommandData<Name extends CommandName> = z.output<(typeof COMMANDS)[Name]["data"]>;
