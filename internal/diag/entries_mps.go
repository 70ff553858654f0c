// SPDX-License-Identifier: Apache-2.0

package diag

// mpsEntries are about NVIDIA MPS.
//
//nolint:gochecknoglobals // a constant table, which Go cannot declare const
var mpsEntries = []Entry{
	{
		Code: MPSMissing, Status: StatusGPU, MessageID: "855a574bc2b146019b01bcac9b33d098",
		Title: "NVIDIA MPS is not installed",
		Cause: "There is no executable /usr/bin/nvidia-cuda-mps-control. The driver's compute package brings it (Debian: nvidia-cuda-mps).",
		Check: []Command{Run("ls", "-l", "/usr/bin/nvidia-cuda-mps-control"), Run("systemctl", "status", "justnews-mps.service")},
		Fix:   Advise("install NVIDIA MPS of the driver's version", Run("systemctl", "reset-failed", "justnews-mps.service"), Run("systemctl", "restart", "justnews-mps.service"), Retry()),
	},
	{
		Code: MPSUnit, Status: StatusGPU, MessageID: "8dfee076d34749b889a5f673b1309904",
		Title: "the unit of NVIDIA MPS cannot become active",
		Cause: "It is missing, masked, failed, over its start limit, or was skipped because a condition did not hold. A skipped unit is no failure for systemd: its start job is \"done\", and nothing runs.",
		Check: []Command{Run("systemctl", "status", "justnews-mps.service"), Run("journalctl", "-b", "-u", "justnews-mps.service")},
		Fix:   Advise("fix what its log names", Run("systemctl", "reset-failed", "justnews-mps.service"), Run("systemctl", "restart", "justnews-mps.service"), Retry()),
	},
	{
		Code: MPSDenied, Status: StatusPermission, MessageID: "42517a558a6a4609a513abdb5532979e",
		Title: "the gate may not start NVIDIA MPS",
		Cause: "The D-Bus service org.justnews.MPS1 starts justnews-mps.service for members of the groups justnews and justnews-operators, and for nobody else. Without that service, systemd asks polkit, which lets operators alone do it. Another unit in mps.unit is not started by the service.",
		Check: []Command{Run("id", "USER"), Run("systemctl", "status", "justnews-mps-start.service"), Run("ls", "-l", "/usr/share/dbus-1/system.d/org.justnews.MPS1.conf")},
		Fix:   Do(Run("usermod", "-aG", "justnews", "USER"), Retry()),
	},
	{
		Code: MPSDeadlock, Status: StatusConfig, MessageID: "3a33e76d98f64c0b820d2989f6865c9c",
		Title: "the unit of MPS waits for the instance that starts it",
		Cause: "By After=, Before= or Conflicts= of some drop-in. systemd would start the one only after the other, and the gate would wait for itself.",
		Check: []Command{Run("systemctl", "show", "-p", "After,Before,Conflicts", "justnews-mps.service", "justnews@INSTANCE.service")},
		Fix:   Advise("remove the ordering that is named", Reload()),
	},
	{
		Code: MPSDead, Status: StatusGPU, MessageID: "7f57878e4d6441c68c8a065a08b71ca0",
		Title: "no MPS control daemon lives",
		Cause: "Nobody holds the lock in the pipe directory. The directory and its sockets outlive the daemon and prove nothing; a program that finds no daemon runs without MPS and without its limits.",
		Check: []Command{Run("justnews-gate", "mps", "status")},
		Fix:   Do(Run("systemctl", "start", "justnews-mps.service"), Retry()),
	},
	{
		Code: MPSElsewhere, Status: StatusGPU, MessageID: "3815837f45cc44939e40ab4fb5f1cabe",
		Title: "an MPS daemon runs with another pipe directory",
		Cause: "Somebody started one by hand (nvidia-cuda-mps-control -d uses /tmp/nvidia-mps), or the environment of the instance and the configuration name two directories. A program finds only the daemon of its own CUDA_MPS_PIPE_DIRECTORY.",
		Check: []Command{Run("justnews-gate", "mps", "status")},
		Fix:   Advise("or set mps.pipe_directory to the directory of the other daemon", Run("sh", "-c", `echo quit | CUDA_MPS_PIPE_DIRECTORY="$1" nvidia-cuda-mps-control`, "sh", "DIRECTORY"), Reload(), Run("systemctl", "reset-failed", "justnews-mps.service"), Run("systemctl", "restart", "justnews-mps.service"), Retry()),
	},
	{
		Code: MPSSplit, Status: StatusGPU, MessageID: "1d419447183d4b27a2f4a0b88860baa9",
		Title: "the MPS daemon has lost its pipe directory",
		Cause: "The directory or its sockets were deleted under a live daemon (cleaning of /tmp does that), so that nobody finds it; a second daemon that was then started shares the GPU with it unseen.",
		Check: []Command{Run("justnews-gate", "mps", "status")},
		Fix:   Do(Run("pkill", "-KILL", "-f", "[n]vidia-cuda-mps-control"), Run("systemctl", "reset-failed", "justnews-mps.service"), Run("systemctl", "restart", "justnews-mps.service"), Retry()),
	},
	{
		Code: MPSStray, Status: StatusGPU, MessageID: "4fac63404e29411e9d54e202bfbfcba3",
		Title: "the MPS control daemon is not the unit's",
		Cause: "Another process was first in the pipe directory: a daemon that somebody started by hand, or of another unit. The unit's own cannot start beside it (\"An instance of this daemon is already running\").",
		Check: []Command{Run("justnews-gate", "mps", "status"), Run("systemctl", "status", "PID")},
		Fix:   Advise("stop the daemon that is named", Run("systemctl", "reset-failed", "justnews-mps.service"), Run("systemctl", "restart", "justnews-mps.service"), Retry()),
	},
	{
		Code: MPSDirectory, Status: StatusGPU, MessageID: "74e974dfc45740b78534a3d61d117272",
		Title: "the pipe directory of MPS cannot be reached",
		Cause: "The directory or one above it has no search permission for the user, or is no directory. Sockets in it are open to all, so that 0755 is enough.",
		Check: []Command{Run("namei", "-l", "/run/nvidia-mps")},
		Fix:   Do(Run("chmod", "0755", "DIRECTORY"), Run("systemctl", "reset-failed", "justnews-mps.service"), Run("systemctl", "restart", "justnews-mps.service"), Retry()),
	},
	{
		Code: MPSUser, Status: StatusGPU, MessageID: "4f4c6994eb674f0c8272e960da9816e8",
		Title: "the MPS control daemon is another user's",
		Cause: "A daemon serves clients of its own user, and root's one user at a time: clients of another user wait without a message.",
		Check: []Command{Run("justnews-gate", "mps", "status"), Run("systemctl", "show", "-p", "User", "justnews-mps.service")},
		Fix:   Advise("give the daemon and all instances with MPS one service.user", Reload(), Run("systemctl", "reset-failed", "justnews-mps.service"), Run("systemctl", "restart", "justnews-mps.service"), Retry()),
	},
	{
		Code: MPSWedged, Status: StatusGPU, MessageID: "9354967abbfa4f9fb0c50e36f133b118",
		Title: "the MPS control daemon does not answer",
		Cause: "It lives, but is stopped (state T) or hangs in the driver. A client would wait for ever.",
		Check: []Command{Run("justnews-gate", "mps", "status"), Run("ps", "-o", "pid,stat,wchan:32,cmd", "-C", "nvidia-cuda-mps")},
		Fix:   Do(Run("systemctl", "kill", "-s", "SIGKILL", "justnews-mps.service"), Run("systemctl", "reset-failed", "justnews-mps.service"), Run("systemctl", "restart", "justnews-mps.service"), Retry()),
	},
	{
		Code: MPSBusy, Status: StatusGPU, MessageID: "65923b33878840bf91360618c6c58278",
		Title: "another console keeps the MPS daemon busy",
		Cause: "The daemon talks to one console at a time, and breaks the others off. An open interactive nvidia-cuda-mps-control is enough.",
		Check: []Command{Run("justnews-gate", "mps", "status"), Run("pgrep", "-af", "nvidia-cuda-mps-control")},
		Fix:   Advise("end the console that is named (quit it with ^D)", Retry()),
	},
	{
		Code: MPSEmpty, Status: StatusGPU, MessageID: "3c387bd4cb3841a0863a441c66528961",
		Title: "the MPS control daemon answers with nothing",
		Cause: "The console ends with status 0 and prints nothing: the answer was lost to another console, or the daemon dropped the connection. That is no answer.",
		Check: []Command{Run("sh", "-c", "echo get_default_active_thread_percentage | CUDA_MPS_PIPE_DIRECTORY=/run/nvidia-mps nvidia-cuda-mps-control")},
		Fix:   Advise("end other consoles of nvidia-cuda-mps-control", Run("systemctl", "reset-failed", "justnews-mps.service"), Run("systemctl", "restart", "justnews-mps.service"), Retry()),
	},
	{
		Code: MPSNonsense, Status: StatusNonsense, MessageID: "1982accf6428458b8d87b7ce34b30ea1",
		Title: "the MPS daemon answers with something else",
		Cause: "What it printed is not what the control daemons of drivers 535 to 580 print; a newer driver may have another command language.",
		Check: []Command{Run("sh", "-c", "echo get_default_active_thread_percentage | CUDA_MPS_PIPE_DIRECTORY=/run/nvidia-mps nvidia-cuda-mps-control")},
		Fix:   Advise("install matching versions of the driver and MPS", Run("systemctl", "reset-failed", "justnews-mps.service"), Run("systemctl", "restart", "justnews-mps.service"), Retry()),
	},
	{
		Code: MPSLibrary, Status: StatusGPU, MessageID: "06d92c7ab6fb4b87a399bbdb53485e14",
		Title: "NVIDIA MPS does not find libcuda",
		Cause: "The control program of newer drivers (580) ends with status 244 and no word without libcuda.so.1.",
		Check: []Command{Run("sh", "-c", "ldconfig -p | grep libcuda.so.1")},
		Fix:   Advise("install the driver's libcuda", Run("systemctl", "reset-failed", "justnews-mps.service"), Run("systemctl", "restart", "justnews-mps.service"), Retry()),
	},
	{
		Code: MPSServer, Status: StatusGPU, MessageID: "0aec04d1aff3460dbba5981e5e5a1dc2",
		Title: "no MPS server is active for the user",
		Cause: "The control daemon answers, but its server did not start or is in the state FAULT: no GPU, a driver and libraries of two versions, MIG, a compute mode that forbids it, or the server of another user.",
		Check: []Command{Run("journalctl", "-b", "-u", "justnews-mps.service"), Run("justnews-gate", "mps", "status")},
		Fix:   Advise("fix what the log of MPS names", Run("systemctl", "reset-failed", "justnews-mps.service"), Run("systemctl", "restart", "justnews-mps.service"), Retry()),
	},
	{
		Code: MPSLimit, Status: StatusGPU, MessageID: "f8c574250b9b4ad3af7d321f41fe7e0a",
		Title: "an MPS limit is not what is configured",
		Cause: "An environment file or drop-in of the instance sets another limit, or the daemon did not take its default. Without its limit one instance can take the memory of all.",
		Check: []Command{Run("justnews-gate", "config", "show", "--origin"), Run("systemctl", "show", "-p", "Environment", "justnews@INSTANCE.service")},
		Fix:   Advise("remove CUDA_MPS_PINNED_DEVICE_MEM_LIMIT and CUDA_MPS_ACTIVE_THREAD_PERCENTAGE from files and drop-ins and set mps.memory and mps.threads", Reload()),
	},
	{
		Code: MPSEnvironment, Status: StatusGPU, MessageID: "e26dc975fc59489ba7df853a64c8bbd6",
		Title: "the instance's unit keeps it from MPS",
		Cause: "Its CUDA_MPS_PIPE_DIRECTORY is missing or another one, CUDA_VISIBLE_DEVICES renumbers the devices that the limits name, or its sandbox hides the pipe directory (PrivateTmp=) or the GPU (PrivateDevices=, DevicePolicy=). A program that cannot reach MPS does not fail: it runs without.",
		Check: []Command{Run("systemctl", "show", "-p", "Environment,PrivateTmp,PrivateDevices,DevicePolicy,DeviceAllow,BindPaths", "justnews@INSTANCE.service")},
		Fix:   Advise("remove the setting that is named", Reload()),
	},
	{
		Code: MPSOpinion, Status: StatusReady, MessageID: "0169e85166cc414aa940d5ed3d2dae66",
		Title: "the orchestrator sees MPS otherwise",
		Cause: "Its /gpu/info looks for a directory and a process name, which proves neither that MPS runs nor that it does not; newer servers answer 500 there, and only their /metrics has a value. What the gate has proven counts.",
		Check: []Command{Run("curl", "-s", "http://127.0.0.1:8014/gpu/info"), Run("justnews-gate", "mps", "status")},
		Fix:   Advise("nothing to do where the status of MPS is good, else fix what it names"),
	},
}
