import { expect, test } from "vitest";
import { aliasOf } from "./ssh-config.ts";

test("whatever a backend is called, its instance has a name that ssh takes for one", () => {
  expect(aliasOf("lab-1")).toBe("lab-1");
  expect(aliasOf("Ada's big box")).toBe("ada-s-big-box");
  expect(aliasOf("-oProxyCommand=reboot")).toBe("oproxycommand-reboot");
  expect(aliasOf("*.example !x")).toBe("example-x");
  expect(aliasOf("машина 7")).toBe("7");
  expect(aliasOf("実験室")).toBe("dockhost");
});
