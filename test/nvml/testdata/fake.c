// SPDX-License-Identifier: Apache-2.0
//
// A libnvidia-ml.so.1 that answers, or fails, as it is compiled to. The
// declarations are those of NVIDIA's nvml.h that justnews-nvml calls.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SUCCESS = 0, NOT_SUPPORTED = 3 };

#ifndef INIT
#define INIT return SUCCESS
#endif
#ifndef COUNT
#define COUNT 2
#endif
#ifndef HANDLE
#define HANDLE return SUCCESS
#endif
#ifndef OPTIONAL // what a card may not answer
#define OPTIONAL return SUCCESS
#endif

#ifndef NO_INIT
static void start(void)
{
#ifdef CHILD // as nvidia-modprobe would: with our pipes, and longer than we live
	if (fork() == 0) {
		FILE *f = fopen(CHILD, "w");
		fprintf(f, "%d", getpid());
		fclose(f);
		for (;;)
			pause();
	}
#endif
}
int nvmlInit_v2(void) { start(); INIT; }
#endif

int nvmlSystemGetNVMLVersion(char *v, unsigned n) { snprintf(v, n, "12.550.163.01"); return SUCCESS; }
int nvmlSystemGetDriverVersion(char *v, unsigned n) { snprintf(v, n, "550.163.01"); return SUCCESS; }
int nvmlSystemGetCudaDriverVersion(int *v) { *v = 12040; return SUCCESS; }

#ifndef NO_COUNT
int nvmlDeviceGetCount_v2(unsigned *n) { *n = COUNT; return SUCCESS; }
#endif
int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **d) { *d = (void *)(unsigned long)(i + 1); HANDLE; }
int nvmlDeviceGetUUID(void *d, char *s, unsigned n)
{
	snprintf(s, n, "GPU-0000000%lu-1234-5678-9abc-def012345678", (unsigned long)d);
	return SUCCESS;
}
int nvmlDeviceGetName(void *d, char *s, unsigned n) { snprintf(s, n, "Fake %lu", (unsigned long)d); return SUCCESS; }
int nvmlDeviceGetCudaComputeCapability(void *d, int *major, int *minor) { *major = 8; *minor = 9; return SUCCESS; }
int nvmlDeviceGetMemoryInfo(void *d, unsigned long long *m)
{
	m[0] = 24ull << 30, m[1] = 20ull << 30, m[2] = 4ull << 30; // total, free, used
	OPTIONAL;
}
int nvmlDeviceGetComputeMode(void *d, int *mode) { *mode = 3; OPTIONAL; }
int nvmlDeviceGetPersistenceMode(void *d, int *on) { *on = 1; OPTIONAL; }

struct pci { // nvmlPciInfo_t
	char legacy[16];
	unsigned domain, bus, device, id, subsystem;
	char address[32];
};
int nvmlDeviceGetPciInfo_v3(void *d, struct pci *p)
{
	memset(p, 0, sizeof *p);
	p->bus = 0x64 + (unsigned)(unsigned long)d;
	return SUCCESS;
}

#ifndef ACTION // of nvmlDeviceGpuRecoveryAction_t
#define ACTION 0
#endif
#ifndef FIELD // result of the field itself
#define FIELD SUCCESS
#endif
struct field { // nvmlFieldValue_t
	unsigned id, scope;
	long long timestamp, latency;
	unsigned type, result;
	union { unsigned u; unsigned long long ull; } value;
};
int nvmlDeviceGetFieldValues(void *d, int n, struct field *f)
{
	for (int i = 0; i < n; i++) {
		f[i].type = 1; // NVML_VALUE_TYPE_UNSIGNED_INT
		f[i].result = f[i].id == 230 ? FIELD : NOT_SUPPORTED;
		f[i].value.u = ACTION;
	}
	OPTIONAL;
}

#ifndef OLD // functions that a driver before R450 lacks
#ifndef PENDING
#define PENDING 0
#endif
int nvmlDeviceGetRemappedRows(void *d, unsigned *c, unsigned *u, unsigned *pending, unsigned *failed)
{
	*c = 0, *u = PENDING, *pending = PENDING, *failed = 0;
	OPTIONAL;
}

#ifndef FABRIC // of nvmlGpuFabricState_t
#define FABRIC 3
#endif
struct fabric { // nvmlGpuFabricInfo_t
	unsigned char cluster[16];
	unsigned status, clique;
	unsigned char state;
};
int nvmlDeviceGetGpuFabricInfo(void *d, struct fabric *f)
{
	memset(f, 0, sizeof *f);
	f->state = FABRIC;
	OPTIONAL;
}
int nvmlDeviceGetArchitecture(void *d, unsigned *a) { *a = 8; return SUCCESS; }
int nvmlDeviceGetMigMode(void *d, unsigned *now, unsigned *then) { *now = 0, *then = 0; OPTIONAL; }

struct process {
	unsigned pid;
	unsigned long long used;
	unsigned gi, ci;
};

static int list(unsigned *n, struct process *p)
{
	if (*n < 2) {
		*n = 2;
		return 7; // NVML_ERROR_INSUFFICIENT_SIZE
	}
	*n = 2;
	p[0] = (struct process){ 4711, 1ull << 30, -1, -1 };
	p[1] = (struct process){ 4712, -1ull, -1, -1 }; // NVML_VALUE_NOT_AVAILABLE
	OPTIONAL;
}
int nvmlDeviceGetMPSComputeRunningProcesses_v3(void *d, unsigned *n, struct process *p) { return list(n, p); }
#endif

// The oldest form of its list, without instances.
int nvmlDeviceGetComputeRunningProcesses(void *d, unsigned *n, void *p) { *n = 0; OPTIONAL; }
