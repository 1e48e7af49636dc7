import { useEffect, useState } from "react";
import type { Backend } from "@dockhost/protocol/rest";
import { Plot } from "./plot.tsx";

interface Sample {
  /** Unix time, s. */
  time: number;
  running: number;
  memoryMiB: number;
  cpuPercent: number | undefined;
}

/** Ten minutes of one every ten seconds. */
const KEPT = 60;

/** What has been told of the machine since this view was opened. */
export function BackendPlots({ backend }: { backend: Backend }) {
  const samples = useSamples(backend);
  const times = samples.map(({ time }) => time);
  const { capacity } = backend;
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <Plot
        title="Running containers"
        unit=""
        times={times}
        series={[{ name: "Running", values: samples.map(({ running }) => running) }]}
      />
      <Plot
        title="Memory in use"
        unit="MiB"
        times={times}
        series={[{ name: "In use", values: samples.map(({ memoryMiB }) => memoryMiB) }]}
        {...(capacity && { max: capacity.memoryMiB })}
      />
      {samples.some(({ cpuPercent }) => cpuPercent !== undefined) && (
        <Plot
          title="Processors"
          unit="%"
          times={times}
          series={[{ name: "In use", values: samples.map(({ cpuPercent = 0 }) => cpuPercent) }]}
          max={100}
        />
      )}
    </div>
  );
}

function useSamples({ id, lastSeenAt, usage, capacity }: Backend): readonly Sample[] {
  const [kept, setKept] = useState<{ of: string; samples: readonly Sample[] }>({ of: id, samples: [] });
  useEffect(() => {
    if (!usage || lastSeenAt === null) return;
    const sample = {
      time: Date.parse(lastSeenAt) / 1000,
      running: usage.running,
      memoryMiB: (capacity?.memoryMiB ?? 0) - usage.memoryAvailableMiB,
      cpuPercent: usage.cpuPercent,
    };
    setKept(({ of, samples }) => {
      const before = of === id ? samples : [];
      // `lastSeenAt` is counted anew at each reading and wavers by milliseconds.
      const last = before.at(-1);
      if (last && sample.time - last.time < 1) return { of: id, samples: before };
      return { of: id, samples: [...before, sample].slice(-KEPT) };
    });
  }, [id, lastSeenAt, usage, capacity]);
  return kept.of === id ? kept.samples : [];
}
