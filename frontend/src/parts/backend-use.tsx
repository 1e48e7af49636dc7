import type { Backend } from "@dockhost/protocol/rest";
import { Meter } from "./meter.tsx";
import { mebibytes } from "./amounts.ts";

/** How much of the machine is in use, as far as it has told. */
export function BackendUse({ backend: { capacity, usage } }: { backend: Backend }) {
  if (!capacity || !usage) return null;
  const used = capacity.memoryMiB - usage.memoryAvailableMiB;
  const disk = capacity.diskMiB;
  return (
    <div className="grid gap-x-8 gap-y-3 sm:grid-cols-2">
      <Meter
        name="Containers"
        share={usage.containers / Math.max(1, capacity.maxContainers)}
        told={`${usage.containers} of ${capacity.maxContainers}, ${usage.running} running`}
      />
      <Meter
        name="Memory"
        share={used / capacity.memoryMiB}
        told={`${mebibytes(used)} of ${mebibytes(capacity.memoryMiB)}`}
      />
      {usage.cpuPercent !== undefined && (
        <Meter
          name="Processors"
          share={usage.cpuPercent / 100}
          told={`${Math.round(usage.cpuPercent)} % of ${capacity.cpus}`}
        />
      )}
      {disk !== undefined && disk > 0 && (
        <Meter name="Disk" share={1 - usage.diskFreeMiB / disk} told={`${mebibytes(usage.diskFreeMiB)} free`} />
      )}
    </div>
  );
}
