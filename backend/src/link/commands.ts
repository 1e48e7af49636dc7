import type { CommandData, CommandName, CommandRequest } from "@dockhost/protocol";
import type { Containers } from "../containers/containers.ts";
import type { OperationContext } from "../containers/creation.ts";
import type { Streams } from "./streams.ts";

export interface CommandContext extends OperationContext {
  /** Where a create begins its search for ports. */
  portsFrom: number | undefined;
}

/** Who serves commands. */
export interface Serving {
  containers: Containers;
  streams: Streams;
}

interface Command<Name extends CommandName> {
  /** Without the pull of a missing image, which has a deadline of its own. */
  deadlineMs: number;
  run: (serving: Serving, request: CommandRequest<Name>, context: CommandContext) => Promise<CommandData<Name>>;
  /** The success in one sentence. */
  done: (data: CommandData<Name>) => string;
  /** Begins the log line of a failure. */
  failed: string;
}

/** Every command and the one method that serves it; a command of the contract that is missing here does not compile. */
export const COMMAND_TABLE: { [Name in CommandName]: Command<Name> } = {
  "create-container": {
    deadlineMs: 45_000,
    run: ({ containers }, request, context) => containers.create(request, context, context.portsFrom),
    done: ({ ports }) => `The container runs and SSH answers at port ${ports.ssh}.`,
    failed: "Unable to create container",
  },
  "start-container": {
    deadlineMs: 30_000,
    run: ({ containers }, request, context) => containers.start(request, context),
    done: ({ ports }) => `The container runs and SSH answers at port ${ports.ssh}.`,
    failed: "Unable to start container",
  },
  "stop-container": {
    deadlineMs: 30_000,
    run: ({ containers }, request, context) => containers.stop(request, context),
    done: () => "The container is stopped; its files and ports are kept.",
    failed: "Unable to stop container",
  },
  "delete-container": {
    deadlineMs: 30_000,
    run: ({ containers }, request, context) => containers.delete(request, context),
    done: ({ existed }) => (existed ? "The container is deleted and its ports are free." : "There was no container."),
    failed: "Unable to delete container",
  },
  "list-containers": {
    deadlineMs: 5_000,
    run: async ({ containers }, request) => ({ containers: await containers.list(request) }),
    done: ({ containers }) => `${containers.length} container${containers.length === 1 ? "" : "s"}.`,
    failed: "Unable to list containers",
  },
  "set-ssh-keys": {
    deadlineMs: 30_000,
    run: ({ containers }, request, context) => containers.setKeys(request, context),
    done: () => "The keys are replaced; they count from the next login on.",
    failed: "Unable to replace SSH keys",
  },
  "set-draining": {
    deadlineMs: 5_000,
    run: ({ containers }, request) => containers.setDraining(request),
    done: ({ draining }) => (draining ? "The backend is draining." : "The backend accepts creates."),
    failed: "Unable to change draining",
  },
  "open-stream": {
    deadlineMs: 20_000,
    run: ({ streams }, request) => streams.open(request),
    done: () => "The stream flows.",
    failed: "Unable to open stream",
  },
};
