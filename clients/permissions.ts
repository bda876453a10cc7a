/**
 * What the clients may do, baked into the binaries: talk to any host the user names, read any picture
 * the user names, and read one variable. Of all others their libraries ask about, none is shown.
 */
export const CLIENT_PERMISSIONS = [
  "--no-prompt",
  "--allow-net",
  "--allow-read",
  "--allow-env=FOVEA_TOKEN",
  "--ignore-env",
];
