import { expect, it } from "vitest";
import { markdown } from "./markdown.ts";
import type { Measurement } from "../measurement.ts";

it("tells figures with their ratios and how sure they are, remarks, and why a table is missing", () => {
  const summary = { samples: 24, median: 310, p95: 342.4 };
  const ratio = { ofMedians: 1.0367, pairwise: 1.04, interval: { low: 1, high: 1.081 } };
  const measurements: Measurement[] = [
    {
      title: "Create",
      unit: "ms",
      rows: [
        { name: "DockHost", summary },
        { name: "raw", summary: { samples: 24, median: 29.94, p95: 3.141 }, ratio },
      ],
      remark: "One more word.",
    },
    { title: "Memory", unit: "MiB", rows: [{ name: "idle", summary }] },
    { title: "Claim", unit: "ms", rows: [], remark: "Left out: no pool." },
  ];
  const section = { section: "create", command: "npm run bench", date: "2026-01-02", load: 0.26, measurements };
  expect(markdown({ machine: { Memory: "24 GiB" }, sections: [section] })).toBe(
    `This machine:

- Memory: 24 GiB

### create

\`npm run bench\`, 2026-01-02, load at its start 0.3

**Create**

|          | median, ms |  p95 |   n | DockHost ÷ this | round by round | 95 % sure |
| -------- | ---------: | ---: | --: | --------------: | -------------: | --------: |
| DockHost |        310 |  342 |  24 |                 |                |           |
| raw      |       29.9 | 3.14 |  24 |            1.04 |           1.04 | 1.00–1.08 |

One more word.

**Memory**

|      | median, MiB | p95 |   n |
| ---- | ----------: | --: | --: |
| idle |         310 | 342 |  24 |

**Claim**

Left out: no pool.`,
  );
});
