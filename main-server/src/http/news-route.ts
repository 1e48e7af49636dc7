import { PassThrough } from "node:stream";
import type { Accounts } from "../services/accounts.ts";
import { ServiceError } from "../services/errors.ts";
import type { News } from "../services/news.ts";
import type { App } from "./app.ts";
import { sessionOf, userOf } from "./sessions.ts";

/** So often something is said, so that whoever is between keeps the line open, ms. */
const SIGN_OF_LIFE_MS = 20_000;
/** A reader who is this far behind has gone, in bytes. */
const LAG_MAX = 256 * 1024;
const MAX_OF_USER = 16;

/** Server-sent events, for signed-in users: https://html.spec.whatwg.org/multipage/server-sent-events.html */
export function newsRoute(app: App, news: News, accounts: Accounts): void {
  const open = new Map<PassThrough, string>();

  app.addHook("preClose", (done) => {
    for (const stream of open.keys()) stream.end();
    done();
  });

  app.get("/api/events", { schema: { tags: ["events"], summary: "What changes, as it does" } }, (request, reply) => {
    const user = userOf(request);
    if ([...open.values()].filter((id) => id === user.id).length >= MAX_OF_USER) {
      throw new ServiceError("RATE_LIMITED", "Too many pages of yours are open; close some.");
    }
    const stream = new PassThrough();
    open.set(stream, user.id);
    const say = (text: string): void => {
      if (stream.writableEnded) return;
      if (stream.writableLength > LAG_MAX) stream.destroy();
      else stream.write(text);
    };
    const stop = news.follow(user, (item) => say(`data: ${JSON.stringify(item)}\n\n`));
    // Who follows on asks anew, and is told then to sign in.
    const stopWatching = accounts.whileSignedIn(user, sessionOf(request) ?? "", () => stream.end());
    const signs = setInterval(() => say(": still here\n\n"), SIGN_OF_LIFE_MS);
    stream.once("close", () => {
      stop();
      stopWatching();
      clearInterval(signs);
      open.delete(stream);
    });
    say("retry: 1000\n\n");
    return reply.header("content-type", "text/event-stream").header("cache-control", "no-store").send(stream);
  });
}
