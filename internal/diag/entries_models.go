// SPDX-License-Identifier: Apache-2.0

package diag

// modelEntries are about the orchestrator and its preload.
//
//nolint:gochecknoglobals // a constant table, which Go cannot declare const
var modelEntries = []Entry{
	{
		Code: OrchestratorUnit, Status: StatusUnavailable, MessageID: "e5566a526bdc5b96b42bac3ea7ca7a89",
		Title: "the orchestrator's unit cannot become ready",
		Cause: "The unit is missing, masked or failed; waiting for it would be in vain.",
		Check: []Command{Run("systemctl", "status", "justnews@gpu_orchestrator.service"), Run("journalctl", "-u", "justnews@gpu_orchestrator.service", "-e")},
		Fix:   Advise("fix what its own log names", Retry()),
	},
	{
		Code: OrchestratorUnreachable, Status: StatusUnavailable, MessageID: "75f4537181e551beb0fadc855a0bfa17",
		Title: "the GPU Orchestrator did not answer",
		Cause: "Nothing listens on its port, or it closes connections, or it answers errors only. It also keeps its port closed while it waits for the bus.",
		Check: []Command{Run("systemctl", "status", "justnews@gpu_orchestrator.service"), Run("journalctl", "-u", "justnews@gpu_orchestrator.service", "-e")},
		Fix:   Do(Run("systemctl", "reset-failed", "justnews@gpu_orchestrator.service"), Run("systemctl", "restart", "justnews@gpu_orchestrator.service"), Retry()),
	},
	{
		Code: OrchestratorNonsense, Status: StatusNonsense, MessageID: "aacf7c1e1f5b5071b178b61b0cdfa7a7",
		Title: "the orchestrator's answer is invalid",
		Cause: "Another program listens on its port, a proxy answers in its place, or its version is not one that this gate knows.",
		Check: []Command{Run("justnews-gate", "status", "-v")},
		Fix:   Advise("make sure that the GPU Orchestrator serves that port", Retry()),
	},
	{
		Code: OrchestratorNotReady, Status: StatusUnavailable, MessageID: "28c70e86579b5a0486bd6f289853c41e",
		Title: "the orchestrator says that it is not ready",
		Cause: "GET /ready answered false until the deadline: its start-up never finished.",
		Check: []Command{Run("journalctl", "-u", "justnews@gpu_orchestrator.service", "-e")},
		Fix:   Do(Run("systemctl", "reset-failed", "justnews@gpu_orchestrator.service"), Run("systemctl", "restart", "justnews@gpu_orchestrator.service"), Retry()),
	},
	{
		Code: OrchestratorImpostor, Status: StatusNonsense, MessageID: "5d268d5b2ac55d6983d22caa9833c89f",
		Title: "another process answers instead of the orchestrator",
		Cause: "Port 8014 needs no privilege: any process can listen there first. The socket that answered does not belong to the unit that orchestrator.instance names, be it another user's, another unit's or another host's.",
		Check: []Command{Run("ss", "-ltnpe")},
		Fix:   Advise("stop the process that holds the port", Retry()),
	},
	{
		Code: OrchestratorDryRun, Status: StatusFailed, MessageID: "a3a298ef6d1d5d32b8be22d41fbd6da1",
		Title: "the orchestrator loads nothing, on purpose",
		Cause: "DRY_RUN or MODEL_STORE_DRY_RUN is set for its unit, in a file of EnvironmentFile= or in the running process: it reports every model as loaded without loading it. Where the process belongs to another user, the preload vouches for it.",
		Check: []Command{Run("systemctl", "cat", "justnews@gpu_orchestrator.service"), Run("sh", "-c", "grep DRY_RUN /etc/justnews/*.env")},
		Fix:   Advise("remove the variable", Reload(), Run("systemctl", "reset-failed", "justnews@gpu_orchestrator.service"), Run("systemctl", "restart", "justnews@gpu_orchestrator.service"), Retry()),
	},
	{
		Code: OrchestratorSafeMode, Status: StatusReady, MessageID: "23649a98dd805f72a42dfffb81788904",
		Title: "safe mode: the models were not checked",
		Cause: "The orchestrator says safe_mode, and orchestrator.honor_safe_mode = true makes the gate skip the preload.",
		Check: []Command{Run("justnews-gate", "status")},
		Fix:   Advise("end safe mode, or set honor_safe_mode = false", Reload()),
	},
	{
		Code: OrchestratorRemote, Status: StatusReady, MessageID: "cbdea7b386b153209eef9ddb78637c71",
		Title: "the orchestrator's URL is not on this host",
		Cause: "Requests leave this machine unencrypted, and nothing proves who answers.",
		Check: []Command{Run("justnews-gate", "config", "show", "--origin")},
		Fix:   Advise("name its instance in orchestrator.instance if it runs on this host"),
	},
	{
		Code: ModelFailed, Status: StatusFailed, MessageID: "e1897ff112a554a18485b0bc33802d40",
		Title: "a model did not load",
		Cause: "The orchestrator reports an error for it: a missing snapshot, a wrong key or id in AGENT_MODEL_MAP, a permission, memory, or MPS.",
		Check: []Command{Run("justnews-gate", "status"), Run("journalctl", "-u", "justnews@gpu_orchestrator.service", "-e")},
		Fix:   Advise("fix the model as the hint says", Retry()),
	},
	{
		Code: ModelsTimeout, Status: StatusTimeout, MessageID: "67c56d45fcf452488a4f370b3a042fdc",
		Title: "the models were still loading at the deadline",
		Cause: "The preload goes on, only slower than GATE_TIMEOUT allows.",
		Check: []Command{Run("justnews-gate", "status")},
		Fix:   Advise("raise gate.timeout in /etc/justnews/justnews.toml", Reload()),
	},
	{
		Code: ModelsIncomplete, Status: StatusFailed, MessageID: "4ec2201523e052a597de7f67b70fc190",
		Title: "the orchestrator loaded fewer models than it should",
		Cause: "Its job ended without errors but over fewer models than AGENT_MODEL_MAP lists, or over none: its own map is missing, empty or another one.",
		Check: []Command{Run("justnews-gate", "status")},
		Fix:   Advise("give the orchestrator the same AGENT_MODEL_MAP.json", Retry()),
	},
	{
		Code: ModelsInconsistent, Status: StatusNonsense, MessageID: "231a2111ca3c5e4593685ae8dba4ec2a",
		Title: "the orchestrator's account contradicts itself",
		Cause: "Two preloads ran at once, or two worker processes answer with two states.",
		Check: []Command{Run("justnews-gate", "status", "-v")},
		Fix:   Advise("run the orchestrator with one worker", Run("systemctl", "reset-failed", "justnews@gpu_orchestrator.service"), Run("systemctl", "restart", "justnews@gpu_orchestrator.service"), Retry()),
	},
	{
		Code: PreloadRefused, Status: StatusNonsense, MessageID: "626fb2e3e40b5a8186a9afe42b82531e",
		Title: "the orchestrator refused to preload",
		Cause: "POST /models/preload was answered with an error that has no state: another version, another program, or an authentication in between.",
		Check: []Command{Run("justnews-gate", "preload", "--refresh", "-v")},
		Fix:   Advise("make sure that the GPU Orchestrator serves that port", Retry()),
	},
	{
		Code: PreloadTimeout, Status: StatusTimeout, MessageID: "b3b75d1cd67a5c7faec4a42bfd18ceee",
		Title: "no preload had begun at the deadline",
		Cause: "The orchestrator answered, but its preload did not begin within GATE_TIMEOUT.",
		Check: []Command{Run("justnews-gate", "status")},
		Fix:   Do(Retry()),
	},
}
