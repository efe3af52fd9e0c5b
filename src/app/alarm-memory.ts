// What one instance of a supervisor knows of its app's alarms beside the rows: those that ring, and what a version sets while it starts.

/** An alarm whose handler is about to be called, or was. */
export interface RingingAlarm {
  /** The handler runs: the object has no alarm, unless it has set another. */
  isCalled: boolean;
  /** Since the handler was called the object has set another alarm, or deleted this one. */
  isReplaced: boolean;
}

/** The memory. */
export interface AlarmMemory {
  /** By object. */
  readonly ringing: Map<string, RingingAlarm>;
  /**
   * By environment: what the objects of a version that never ran have set, null for a deleted alarm. It counts once the version is live,
   * and one that does not start leaves nothing of it.
   */
  readonly starting: Map<string, Map<string, number | null>>;
  /** By object, those written to last at the end: the order of its last write. */
  readonly orders: Map<string, number>;
}

export function openAlarmMemory(): AlarmMemory {
  return { ringing: new Map(), starting: new Map(), orders: new Map() };
}
