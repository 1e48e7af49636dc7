import { FakeBackend } from "./fake-backend.ts";
import { runLoad } from "./load.ts";
import type { OrderName, Orders } from "./orders.ts";

/** The process of the fake backends: it obeys its parent's orders one after another, and ends with it. */

const HEARTBEAT_MS = 10_000;
const BEAT_MS = 50;
const fleet: FakeBackend[] = [];
let busySince = performance.eventLoopUtilization();

type Obey = { [Name in OrderName]: (request: Orders[Name]["request"]) => Promise<Orders[Name]["answer"]> };

const ORDERS: Obey = {
  async connect({ url, backends }) {
    await new Promise<void>((resolve) => {
      let missing = backends;
      const onConnect = () => --missing === 0 && resolve();
      for (let number = 0; number < backends; number++) fleet.push(new FakeBackend(url, number, onConnect));
      for (const backend of fleet) backend.connect();
    });
    return null;
  },
  flip({ slot }) {
    for (const backend of fleet) backend.stopped ^= 1 << slot;
    return Promise.resolve(null);
  },
  stopped: () => Promise.resolve(fleet.map((backend) => backend.stopped)),
  load: (request) => runLoad(request, fleet.length),
  busy() {
    const { utilization } = performance.eventLoopUtilization(busySince);
    busySince = performance.eventLoopUtilization();
    return Promise.resolve(utilization);
  },
};

process.on("message", ({ name, request }: { name: OrderName; request: never }) => {
  void ORDERS[name](request).then((answer) => process.send?.({ answer }));
});
process.on("disconnect", () => process.exit());
beat(0);

/** One heartbeat of each in ten seconds, spread evenly over them. */
function beat(from: number): void {
  const share = Math.ceil(fleet.length / (HEARTBEAT_MS / BEAT_MS));
  for (const backend of fleet.slice(from, from + share)) backend.beat();
  setTimeout(() => beat(from + share >= fleet.length ? 0 : from + share), BEAT_MS);
}
