import { useEffect, useState } from "react";
import { hashKey, useQueryClient } from "@tanstack/react-query";
import type { Backend } from "@dockhost/protocol/rest";
import { queries } from "../api/queries.ts";
import { Plot } from "./plot.tsx";

interface Sample {
  /** Unix time, s. */
  time: number;
  running: number;
  memoryBytes: number;
  cpuPercent: number | undefined;
}

const MIB = 1024 ** 2;
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
        unit="B"
        times={times}
        series={[{ name: "In use", values: samples.map(({ memoryBytes }) => memoryBytes) }]}
        {...(capacity && { max: capacity.memoryMiB * MIB })}
      />
      {samples.some(({ cpuPercent }) => cpuPercent !== undefined) && (
        <Plot
          title="Processors in use"
          unit="%"
          times={times}
          series={[{ name: "In use", values: samples.map(({ cpuPercent = 0 }) => cpuPercent) }]}
          max={100}
        />
      )}
    </div>
  );
}

/** One sample each time that the backend is read anew. */
function useSamples(backend: Backend): readonly Sample[] {
  const { id } = backend;
  const client = useQueryClient();
  const [samples, setSamples] = useState<readonly Sample[]>(() => sampleOf(backend));
  useEffect(() => {
    const { queryKey } = queries.backend(id);
    return client.getQueryCache().subscribe(({ type, query }) => {
      if (type !== "updated" || query.queryHash !== hashKey(queryKey)) return;
      const [sample] = sampleOf(client.getQueryData(queryKey));
      if (sample) setSamples((before) => added(before, sample));
    });
  }, [client, id]);
  return samples;
}

/** `lastSeenAt` is counted anew at each reading and wavers by milliseconds. */
function added(before: readonly Sample[], sample: Sample): readonly Sample[] {
  const last = before.at(-1);
  return last && sample.time - last.time < 1 ? before : [...before, sample].slice(-KEPT);
}

function sampleOf(backend: Backend | undefined): Sample[] {
  const { usage, capacity, lastSeenAt } = backend ?? {};
  if (!usage || !capacity || typeof lastSeenAt !== "string") return [];
  return [
    {
      time: Date.parse(lastSeenAt) / 1000,
      running: usage.running,
      memoryBytes: (capacity.memoryMiB - usage.memoryAvailableMiB) * MIB,
      cpuPercent: usage.cpuPercent,
    },
  ];
}
