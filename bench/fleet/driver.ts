import { FakeBackend } from "./fake-backend.ts";
import { runLoad } from "./load.ts";
import type { OrderName, Orders } from "./orders.ts";
import { RestClient } from "./rest-client.ts";

/** The process of the fake backends: it obeys its parent's orders one after another, and ends with it. */

const HEARTBEAT_MS = 10_000;
const BEAT_MS = 50;
const fleet: FakeBackend[] = [];
/** Kept from one load to the next, as a proxy keeps its connections. */
let users: RestClient | undefined;
let resting = false;

type Obey = { [Name in OrderName]: (request: Orders[Name]["request"]) => Promise<Orders[Name]["answer"]> };

const ORDERS: Obey = {
  async connect({ url, backends }) {
    users = new RestClient(url);
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
  rest() {
    resting = true;
    globalThis.gc?.();
    return Promise.resolve(null);
  },
  load(request) {
    if (!users) return Promise.reject(new Error("Connect first."));
    resting = false;
    return runLoad(users, request, fleet.length);
  },
};

process.on("message", ({ name, request }: { name: OrderName; request: never }) => {
  void ORDERS[name](request).then((answer) => process.send?.({ answer }));
});
process.on("disconnect", () => process.exit());
beat();

/** One heartbeat of each in ten seconds, spread evenly over them. */
function beat(turn = 0): void {
  const next = (turn + 1) % (HEARTBEAT_MS / BEAT_MS);
  const [from, to] = [turn, turn + 1].map((one) => Math.round((one * fleet.length * BEAT_MS) / HEARTBEAT_MS));
  if (!resting) for (const backend of fleet.slice(from, to)) backend.beat();
  setTimeout(() => beat(next), BEAT_MS);
}
