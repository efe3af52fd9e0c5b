// The settings of a repository that only stores, for tests that need a state and no setting in particular.
import type { RepositorySettings } from "../../src/store/repository-state.ts";

export const STORED_SETTINGS: RepositorySettings = {
  deploy: false,
  denyNonFastForwards: false,
  root: "",
  typecheck: "off",
  maxPreviews: 10,
  previewIdleHours: 168,
  previewAlarms: true,
  previewCrons: false,
};
