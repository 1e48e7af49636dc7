import type { NetworkInterfaceInfo } from "node:os";
import { describe, expect, it } from "vitest";
import { addresses, lanAddress } from "./addresses.ts";

const mac = "00:00:00:00:00:00";
const v4 = (address: string, internal = false): NetworkInterfaceInfo => ({
  ...{ address, internal, mac, family: "IPv4", netmask: "255.255.255.0", cidr: null },
});
const v6 = (address: string, { internal = false, scopeid = 0 } = {}): NetworkInterfaceInfo => ({
  ...{ address, internal, scopeid, mac, family: "IPv6", netmask: "ffff::", cidr: null },
});
const LOOPBACK = { lo: [v4("127.0.0.1", true), v6("::1", { internal: true })] };

describe("the addresses that others may reach this machine by", () => {
  it("are neither loopback, nor a container bridge, nor valid on one link only; IPv4 comes first", () => {
    const interfaces = {
      ...LOOPBACK,
      docker0: [v4("172.17.0.1")],
      "br-95910a186516": [v4("172.18.0.1")],
      eth0: [v6("fe80::1", { scopeid: 4 }), v6("fd00::2"), v4("192.0.2.2")],
      wg0: [v4("10.9.0.2")],
    };
    expect(addresses(interfaces)).toEqual(["192.0.2.2", "10.9.0.2", "fd00::2"]);
  });
});

describe("the one address that is told where only one can be", () => {
  it("is the first IPv4 address of several", () => {
    const interfaces = { ...LOOPBACK, docker0: [v4("172.17.0.1")], eth0: [v6("fd00::2"), v4("192.0.2.2")] };
    expect(lanAddress({ ...interfaces, wg0: [v4("10.9.0.2")] })).toBe("192.0.2.2");
  });

  it("is an IPv6 address where there is no other, and the loopback where there is none at all", () => {
    expect(lanAddress({ ...LOOPBACK, eth0: [v6("fd00::2")] })).toBe("fd00::2");
    expect(lanAddress(LOOPBACK)).toBe("127.0.0.1");
  });
});
