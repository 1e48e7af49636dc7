// Imported first by every entry: modules are evaluated in order, so an older Node says this instead of failing further on.
const [major = 0] = process.versions.node.split(".").map(Number);

if (major < 20) {
  console.error(`DockHost needs Node 20 or newer, and this is ${process.version}: get one from https://nodejs.org/`);
  process.exit(1);
}
