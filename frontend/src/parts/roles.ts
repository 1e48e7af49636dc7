import type { Role } from "@dockhost/protocol/rest";

/** What each role lets its account do, the least first. */
export const ROLES: Readonly<Record<Role, string>> = {
  user: "has instances",
  operator: "may lend machines too",
  admin: "manages people and shared backends too",
};

export const ROLE_NAMES = Object.keys(ROLES) as Role[];
