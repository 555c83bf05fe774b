/** Tools of the reference that are not here, and what to do instead; by name. */
export const NOT_OFFERED: Readonly<Record<string, string>> = {
  call_model: 'This server runs no models. Call your model yourself, and report what came of it with record_result.',
  delegate_inference: 'This server runs no models. Call your model yourself.',
  list_inference_hosts: 'This server runs no models, and knows no host of any.',
  describe_inference_host: 'This server runs no models, and knows no host of any.',
  export: 'The command line exports: breakwater export --what states, also as CSV.',
  get_system_history: 'The command line exports: breakwater export --what states, also as CSV.',
  export_to_file: 'The command line exports: breakwater export --out <dir>. No call writes a file here.',
  get_agent_api_key: 'There are no API keys. onboard gives a client_session_id, once; identity gives a bound call one.',
  skills: 'No skills are kept here. The plugin brings its own, and list_tools with describe_tool tell how to work.',
  mark_response_complete: 'There is nothing to mark: a check-in says what was done, and silence is told by itself.',
  list_process_bindings: 'What agents say of their processes is kept and proves nothing; an operator reads it in SQL.',
  get_trajectory_status: 'There is no trajectory of an identity; identity says by which proof a call is bound.',
  verify_trajectory_identity: 'A trajectory proves no identity here; client_session_id does.',
};
