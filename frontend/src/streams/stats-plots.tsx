import { useRef, useState } from "react";
import { Plot } from "./plot.tsx";
import { SPAN_S, StatsHistory, type Sample } from "./stats.ts";
import { StreamBar } from "./stream-bar.tsx";
import { useByteStream } from "./use-byte-stream.ts";

const NOTHING: readonly Sample[] = [];
const WORDS = { over: "The container has stopped.", again: "Reconnect looks at it again." };

/** What the container whose stats stream is at `path` uses, second by second, over the last five minutes. */
export function StatsPlots({ path }: { path: string }) {
  // Of another container the past is another.
  return <Stats key={path} path={path} />;
}

function Stats({ path }: { path: string }) {
  const [samples, setSamples] = useState(NOTHING);
  const history = useRef<StatsHistory>(undefined);
  const { state, reconnect } = useByteStream(path, {
    onOpen() {
      history.current ??= new StatsHistory();
      history.current.begin();
    },
    onBytes(bytes, seen) {
      history.current?.add(bytes);
      setSamples(history.current?.samples ?? NOTHING);
      seen();
    },
  });
  return (
    <div className="grid gap-4">
      <div className="overflow-hidden rounded-lg border border-b-0 border-line">
        <StreamBar state={state} words={WORDS} onReconnect={reconnect} />
      </div>
      <Plots samples={samples} />
    </div>
  );
}

function Plots({ samples }: { samples: readonly Sample[] }) {
  const times = samples.map(({ time }) => time);
  const of = (field: keyof Sample): number[] => samples.map((sample) => sample[field]);
  const limit = samples.at(-1)?.memoryLimitBytes;
  const common = { times, span: SPAN_S };
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <Plot
        {...common}
        title="Processor"
        unit="%"
        max={100}
        series={[{ name: "In use, of one processor", values: of("cpuPercent") }]}
      />
      <Plot
        {...common}
        title="Memory"
        unit="B"
        series={[{ name: "In use", values: of("memoryBytes") }]}
        {...(limit !== undefined && limit > 0 && { max: limit })}
      />
      <Plot
        {...common}
        title="Network"
        unit="B/s"
        series={[
          { name: "Received", values: of("received") },
          { name: "Sent", values: of("sent") },
        ]}
      />
      <Plot
        {...common}
        title="Disk"
        unit="B/s"
        series={[
          { name: "Read", values: of("read") },
          { name: "Written", values: of("written") },
        ]}
      />
    </div>
  );
}
