DROP FUNCTION core.free_label(text, text);
