import type { FurnishedHouse } from "./furnished-house.ts";

export interface View {
  name: string;
  /** Of somebody who is signed in. */
  signedIn: boolean;
  path: (house: FurnishedHouse) => string;
}

const signedIn = (name: string, path: View["path"]): View => ({ name, signedIn: true, path });

/** What is looked at: the door, and what people have before them most of the time. */
export const VIEWS: readonly View[] = [
  { name: "sign-in", signedIn: false, path: () => "/sign-in" },
  signedIn("instances", () => "/instances"),
  signedIn("instance", ({ instanceId }) => `/instances/${instanceId}`),
  signedIn("backends", () => "/backends"),
  signedIn("backend", ({ backendId }) => `/backends/${backendId}`),
  signedIn("account", () => "/account"),
];

export const FORMS = ["mobile", "desktop"] as const;
export type Form = (typeof FORMS)[number];
