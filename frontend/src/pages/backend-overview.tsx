import type { Backend } from "@dockhost/protocol/rest";
import { BackendUse } from "../parts/backend-use.tsx";
import { Facts } from "../parts/facts.tsx";
import { Empty, Panel } from "../parts/page.tsx";
import { useShownBackend } from "../parts/shown-backend.ts";
import { mebibytes } from "../parts/amounts.ts";
import { Time } from "../parts/time.tsx";
import { Loaded } from "../parts/while-running.tsx";
import { BackendPlots } from "./loaded-later.ts";

export function BackendOverview() {
  const backend = useShownBackend();
  if (!backend.usage) {
    return (
      <Empty title="It has not connected yet.">
        <p className="max-w-prose text-muted">
          It connects as soon as its program runs with its API key; a lost key is replaced under “API keys”.
        </p>
      </Empty>
    );
  }
  return (
    <>
      <Panel title="In use">
        <BackendUse backend={backend} />
      </Panel>
      {backend.status === "online" && (
        <Loaded>
          <BackendPlots key={backend.id} backend={backend} />
        </Loaded>
      )}
      <Panel title="About it">
        <Facts of={factsOf(backend)} />
      </Panel>
    </>
  );
}

function factsOf({
  version,
  docker,
  addresses,
  capacity,
  usage,
  shared,
  unknownContainers,
  lastSeenAt,
  createdAt,
}: Backend) {
  return [
    ["Serves", shared ? "everyone" : "its owner"],
    ["DockHost", version],
    ["Docker", docker && (docker.reachable ? docker.version : "not reachable")],
    ["Addresses", addresses.join(", ")],
    ["Processors", capacity?.cpus],
    ["Memory", capacity && mebibytes(capacity.memoryMiB)],
    ["Serves well", capacity && `${capacity.comfortableContainers} containers; ${capacity.maxContainers} at most`],
    ["Made ahead", usage?.warmSlots],
    ["Ports", capacity?.portRange && `${capacity.portRange.first} to ${capacity.portRange.last}`],
    [
      "Disk limits",
      capacity &&
        { true: "held", false: "not held by this Docker", null: "not tried yet" }[`${capacity.diskQuotaEnforced}`],
    ],
    ["Instances reach", capacity?.egress && EGRESS[capacity.egress]],
    ["Unknown containers", unknownContainers > 0 && unknownContainers],
    ["Heard of", lastSeenAt !== null && <Time key="seen" at={lastSeenAt} />],
    ["Registered", <Time key="made" at={createdAt} />],
  ] as const;
}

const EGRESS = { internet: "the public internet alone", all: "private networks too", none: "nothing" };
