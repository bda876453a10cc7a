/**
 * Says which settings are wrong, one line each. It is apart from the schemas of settings, since
 * threads that can throw it do not load those.
 */
export class SettingsError extends Error {
  override name = "SettingsError";
}
