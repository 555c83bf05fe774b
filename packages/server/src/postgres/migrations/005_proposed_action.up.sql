-- What a participant wants to become of the paused agent: not only that it resumes.
ALTER TABLE core.dialectic_messages ADD COLUMN proposed_action text
  CHECK (proposed_action IN ('resume', 'block', 'escalate', 'cooldown'));
