// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"net/netip"
	"testing"

	"justnews/internal/check/host"
	"justnews/internal/facts"
)

func TestSandbox_HiddenPathNamesTheSetting(t *testing.T) {
	tmp := facts.Sandbox{PrivateTmp: true}
	for name, c := range map[string]struct {
		sandbox facts.Sandbox
		path    string
		want    string
	}{
		"nothing":                       {facts.Sandbox{}, "/var/tmp/models", ""},
		"a private /tmp":                {tmp, "/tmp/models", "PrivateTmp=yes"},
		"a private /var/tmp":            {tmp, "/var/tmp/models/", "PrivateTmp=yes"},
		"slashes":                       {tmp, "//var//tmp/./models", "PrivateTmp=yes"},
		"next to /tmp":                  {tmp, "/tmpfiles/models", ""},
		"below /tmp, bound in":          {facts.Sandbox{PrivateTmp: true, Bound: []string{"/var/tmp/models"}}, "/var/tmp/models/scout", ""},
		"next to a bound path":          {facts.Sandbox{PrivateTmp: true, Bound: []string{"/var/tmp/models"}}, "/var/tmp/models2", "PrivateTmp=yes"},
		"above a bound path":            {facts.Sandbox{PrivateTmp: true, Bound: []string{"/var/tmp/a/b"}}, "/var/tmp/a", "PrivateTmp=yes"},
		"a home":                        {facts.Sandbox{ProtectHome: "yes"}, "/home/adra/models", "ProtectHome=yes"},
		"root's home":                   {facts.Sandbox{ProtectHome: "yes"}, "/root/models", "ProtectHome=yes"},
		"a user's runtime directory":    {facts.Sandbox{ProtectHome: "yes"}, "/var/run/user/1000/x", "ProtectHome=yes"},
		"a home, and nothing is bound":  {facts.Sandbox{ProtectHome: "yes", Bound: []string{"/home/adra"}}, "/home/adra", "ProtectHome=yes"},
		"an empty home":                 {facts.Sandbox{ProtectHome: "tmpfs"}, "/home/adra", "ProtectHome=tmpfs"},
		"an empty home, bound in":       {facts.Sandbox{ProtectHome: "tmpfs", Bound: []string{"/home/adra"}}, "/home/adra/models", ""},
		"a read-only home":              {facts.Sandbox{ProtectHome: "read-only"}, "/home/adra", ""},
		"an inaccessible parent":        {facts.Sandbox{Inaccessible: []string{"/srv"}}, "/srv/models", "InaccessiblePaths=/srv"},
		"inaccessible wins over a bind": {facts.Sandbox{Inaccessible: []string{"/srv"}, Bound: []string{"/srv/models"}}, "/srv/models", "InaccessiblePaths=/srv"},
		"an inaccessible child":         {facts.Sandbox{Inaccessible: []string{"/srv/models/x"}}, "/srv/models", ""},
		"an emptied parent":             {facts.Sandbox{Emptied: []string{"/opt"}}, "/opt/justnews/models", "TemporaryFileSystem=/opt"},
		"an emptied parent, bound in":   {facts.Sandbox{Emptied: []string{"/opt"}, Bound: []string{"/opt/justnews"}}, "/opt/justnews/models", ""},
		"emptied below a bound path":    {facts.Sandbox{Emptied: []string{"/opt/justnews"}, Bound: []string{"/opt"}}, "/opt/justnews/models", "TemporaryFileSystem=/opt/justnews"},
		"/var/run emptied":              {facts.Sandbox{Emptied: []string{"/run"}}, "/var/run/models", "TemporaryFileSystem=/run"},
		"a directory as root":           {facts.Sandbox{RootDirectory: "/srv/root"}, "/opt/models", "RootDirectory=/srv/root"},
		"an image as root":              {facts.Sandbox{RootImage: "/srv/x.raw"}, "/opt/models", "RootImage=/srv/x.raw"},
		"a directory as root, bound in": {facts.Sandbox{RootDirectory: "/srv/root", Bound: []string{"/opt/models"}}, "/opt/models", ""},
		"a device in another root":      {facts.Sandbox{RootDirectory: "/srv/root"}, "/dev/nvidia0", ""},
		"a private device":              {facts.Sandbox{PrivateDevices: true}, "/dev/nvidia0", "PrivateDevices=yes"},
		"no private shared memory":      {facts.Sandbox{PrivateDevices: true}, "/dev/shm/x", ""},
		"bound in its place":            {facts.Sandbox{ProtectHome: "tmpfs", Bound: []string{"/home"}}, "/home/adra", ""},
		"bound above it":                {facts.Sandbox{ProtectHome: "tmpfs", Bound: []string{"/"}}, "/home/adra", "ProtectHome=tmpfs"},
		"a private and empty /tmp":      {facts.Sandbox{PrivateTmp: true, Emptied: []string{"/tmp"}}, "/tmp/x", "PrivateTmp=yes"},
		"emptied and read-only":         {facts.Sandbox{Emptied: []string{"/opt"}, ReadOnly: []string{"/opt"}}, "/opt/models", ""},
		"emptied and writable":          {facts.Sandbox{ProtectHome: "tmpfs", Writable: []string{"/root"}}, "/root/models", ""},
		"writable below emptied":        {facts.Sandbox{Emptied: []string{"/opt"}, Writable: []string{"/opt/models"}}, "/opt/models", "TemporaryFileSystem=/opt"},
		"private and writable":          {facts.Sandbox{PrivateTmp: true, Writable: []string{"/tmp"}}, "/tmp/models", "PrivateTmp=yes"},
		"an empty /dev":                 {facts.Sandbox{Emptied: []string{"/dev"}}, "/dev/nvidiactl", "TemporaryFileSystem=/dev"},
	} {
		if got := host.Hidden(c.sandbox, c.path); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestSandbox_ReadOnlyPathNamesTheSetting(t *testing.T) {
	for name, c := range map[string]struct {
		sandbox  facts.Sandbox
		writable []string
		path     string
		want     string
	}{
		"nothing":                   {facts.Sandbox{}, nil, "/usr/x", ""},
		"strict":                    {facts.Sandbox{ProtectSystem: "strict"}, nil, "/srv/x", "ProtectSystem=strict"},
		"strict, writable":          {facts.Sandbox{ProtectSystem: "strict"}, []string{"/srv"}, "/srv/x", ""},
		"strict, a private /tmp":    {facts.Sandbox{ProtectSystem: "strict", PrivateTmp: true}, nil, "/tmp/x", ""},
		"strict, shared memory":     {facts.Sandbox{ProtectSystem: "strict"}, nil, "/dev/shm/x", ""},
		"full":                      {facts.Sandbox{ProtectSystem: "full"}, nil, "/etc/x", "ProtectSystem=full"},
		"yes leaves /etc":           {facts.Sandbox{ProtectSystem: "yes"}, nil, "/etc/x", ""},
		"yes":                       {facts.Sandbox{ProtectSystem: "yes"}, nil, "/usr/share/x", "ProtectSystem=yes"},
		"a read-only home":          {facts.Sandbox{ProtectHome: "read-only"}, []string{"/home/a/logs"}, "/home/a", "ProtectHome=read-only"},
		"a read-only home, granted": {facts.Sandbox{ProtectHome: "read-only"}, []string{"/home/a/logs"}, "/home/a/logs/x", ""},
		"a read-only path":          {facts.Sandbox{ReadOnly: []string{"/srv"}}, nil, "/srv/x", "ReadOnlyPaths=/srv"},
		"read-only and writable":    {facts.Sandbox{ReadOnly: []string{"/srv"}}, []string{"/srv"}, "/srv/x", "ReadOnlyPaths=/srv"},
		"bound read-only":           {facts.Sandbox{ReadOnly: []string{"/srv"}, Bound: []string{"/srv"}}, nil, "/srv/x", "BindReadOnlyPaths=/srv"},
		"writable below bound":      {facts.Sandbox{ReadOnly: []string{"/srv"}, Bound: []string{"/srv"}}, []string{"/srv/a"}, "/srv/a/x", ""},
		"strict, a home":            {facts.Sandbox{ProtectSystem: "strict"}, nil, "/home/adra/x", ""},
		"strict, all writable":      {facts.Sandbox{ProtectSystem: "strict"}, []string{"/"}, "/srv/x", "ProtectSystem=strict"},
		"an empty home, granted":    {facts.Sandbox{ProtectHome: "tmpfs"}, []string{"/root"}, "/root/x", "ProtectHome=tmpfs"},
		"a private /tmp, read-only": {facts.Sandbox{PrivateTmp: true, ReadOnly: []string{"/tmp"}}, nil, "/tmp/x", "ReadOnlyPaths=/tmp"},
		"read-only below writable":  {facts.Sandbox{ReadOnly: []string{"/srv/a"}}, []string{"/srv"}, "/srv/a/x", "ReadOnlyPaths=/srv/a"},
	} {
		c.sandbox.Writable = c.writable
		if got := host.ReadOnly(c.sandbox, c.path); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// denyAny is IPAddressDeny=any.
var denyAny = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}

func TestSandbox_UnreachableServerNamesTheSetting(t *testing.T) {
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	for name, c := range map[string]struct {
		sandbox facts.Sandbox
		server  string
		want    string
	}{
		"nothing":                {facts.Sandbox{}, "http://127.0.0.1:8014", ""},
		"no network":             {facts.Sandbox{PrivateNetwork: true}, "127.0.0.1:3306", "PrivateNetwork=yes"},
		"no network, a socket":   {facts.Sandbox{PrivateNetwork: true}, "/run/postgresql/.s.PGSQL.5432", ""},
		"a hidden socket":        {facts.Sandbox{Emptied: []string{"/run"}}, "/var/run/mysqld/mysqld.sock", "TemporaryFileSystem=/run"},
		"denied":                 {facts.Sandbox{IPDeny: denyAny}, "http://127.0.0.1:8014", "IPAddressDeny=any"},
		"denied, but allowed":    {facts.Sandbox{IPDeny: denyAny, IPAllow: loopback}, "http://localhost:8014", ""},
		"denied, another net":    {facts.Sandbox{IPDeny: denyAny, IPAllow: loopback}, "10.0.0.7:5432", "IPAddressDeny=any"},
		"a net is denied":        {facts.Sandbox{IPDeny: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, "10.0.0.7:5432", "IPAddressDeny=10.0.0.0/8"},
		"another net is denied":  {facts.Sandbox{IPDeny: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, "192.168.0.7:5432", ""},
		"a name is not judged":   {facts.Sandbox{IPDeny: denyAny}, "db.example:5432", ""},
		"local sockets only":     {facts.Sandbox{OnlyFamilies: true, Families: []string{"AF_UNIX"}}, "127.0.0.1:8000", "RestrictAddressFamilies=AF_UNIX"},
		"local sockets, by name": {facts.Sandbox{OnlyFamilies: true, Families: []string{"AF_UNIX"}}, "http://db:8000", "RestrictAddressFamilies=AF_UNIX"},
		"no family":              {facts.Sandbox{OnlyFamilies: true}, "/run/x.sock", "RestrictAddressFamilies=none"},
		"IPv4 only":              {facts.Sandbox{OnlyFamilies: true, Families: []string{"AF_INET"}}, "http://[::1]:8000", "RestrictAddressFamilies=AF_INET"},
		"IPv4 only, localhost":   {facts.Sandbox{OnlyFamilies: true, Families: []string{"AF_INET"}}, "http://localhost:8000", ""},
		"all but IPv4":           {facts.Sandbox{Families: []string{"AF_INET"}}, "127.0.0.1:1", "RestrictAddressFamilies=~AF_INET"},
		"IPv4 only, by name":     {facts.Sandbox{OnlyFamilies: true, Families: []string{"AF_INET"}}, "http://db:8000", ""},
		"IPv6 only, by name":     {facts.Sandbox{OnlyFamilies: true, Families: []string{"AF_INET6"}}, "http://db:8000", ""},
		"IPv4 only, and denied":  {facts.Sandbox{OnlyFamilies: true, Families: []string{"AF_INET"}, IPDeny: denyAny}, "10.0.0.7:5432", "IPAddressDeny=any"},
		"all but netlink":        {facts.Sandbox{Families: []string{"AF_NETLINK"}}, "127.0.0.1:1", ""},
	} {
		if got := host.Forbidden(c.sandbox, c.server); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// A path and what it leads to are one directory, which a unit may name by either.
func TestSandbox_LinkIsHiddenWithItsTarget(t *testing.T) {
	private := facts.Sandbox{PrivateTmp: true}
	if got := host.Hidden(private, "/srv/models", "/var/tmp/models"); got != "PrivateTmp=yes" {
		t.Errorf("%q", got)
	}
	if got := host.Hidden(private, "/srv/models", ""); got != "" {
		t.Errorf("%q", got)
	}
	for writable, want := range map[string]string{"/srv/logs": "", "/data/logs": "", "/data/other": "ProtectSystem=strict"} {
		s := facts.Sandbox{ProtectSystem: "strict", Writable: []string{writable}}
		if got := host.ReadOnly(s, "/srv/logs/x", "/data/logs/x"); got != want {
			t.Errorf("%s: %q, want %q", writable, got, want)
		}
	}
}
