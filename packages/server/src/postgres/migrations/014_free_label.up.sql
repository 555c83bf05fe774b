-- The name that a new agent gets: the one that it asks for, with a suffix when somebody bears it. Births that ask for one name
-- take turns until their transactions end. A function, since a statement does not see what was committed while it waited
-- for a lock of its own, and each statement of a function does.
CREATE FUNCTION core.free_label(wanted text, agent text) RETURNS text LANGUAGE plpgsql VOLATILE STRICT AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(7204117, hashtext(wanted));
  IF EXISTS (SELECT FROM core.agents WHERE label = wanted) THEN
    RETURN wanted || '_' || left(agent, 8);
  END IF;
  RETURN wanted;
END $$;
