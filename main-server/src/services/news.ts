import type { NewsItem } from "@dockhost/protocol/rest";
import type { User } from "./accounts.ts";

/** Many changes within it are told as one, ms. */
const GATHER_MS = 150;

type Progress = Extract<NewsItem, { kind: "progress" }>;

interface Follower {
  user: User;
  tell: (item: NewsItem) => void;
  /** What is to be told together. */
  gathered: Set<"instances-changed" | "backends-changed">;
  timer: NodeJS.Timeout | undefined;
}

/**
 * What pages are told without asking. Levels, not edges: it is only ever said that something has changed, so that what was
 * missed while a page was away is made good by reading everything once.
 */
export class News {
  readonly #followers = new Set<Follower>();

  /** Answers how to stop. */
  follow(user: User, tell: (item: NewsItem) => void): () => void {
    const follower: Follower = { user, tell, gathered: new Set(), timer: undefined };
    this.#followers.add(follower);
    return () => {
      clearTimeout(follower.timer);
      this.#followers.delete(follower);
    };
  }

  instancesChanged(userId: string): void {
    for (const follower of this.#followers) if (follower.user.id === userId) gather(follower, "instances-changed");
  }

  /** Which of them a page sees it knows itself. */
  backendsChanged(): void {
    for (const follower of this.#followers) gather(follower, "backends-changed");
  }

  progress(username: string, progress: Omit<Progress, "kind">): void {
    for (const { user, tell } of this.#followers) {
      if (user.username === username) tell({ kind: "progress", ...progress });
    }
  }
}

function gather(follower: Follower, kind: "instances-changed" | "backends-changed"): void {
  follower.gathered.add(kind);
  follower.timer ??= setTimeout(() => {
    follower.timer = undefined;
    const kinds = [...follower.gathered];
    follower.gathered.clear();
    for (const one of kinds) follower.tell({ kind: one });
  }, GATHER_MS);
}
