/** The version of Breakwater: of the server, the SDK, the console and the wire. A check holds every package to it. */
export const VERSION = '0.1.0';
