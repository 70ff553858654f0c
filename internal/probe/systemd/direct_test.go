// SPDX-License-Identifier: Apache-2.0

package systemd

import (
	"bufio"
	"encoding/binary"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"
)

// directManager listens as systemd does on /run/systemd/private: no bus, no
// Hello. It loses the first deaf messages of each connection.
func directManager(t *testing.T, deaf int) door {
	t.Helper()
	path := filepath.Join(t.TempDir(), "private")
	server, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	go func() {
		for {
			conn, err := server.Accept()
			if err != nil {
				return
			}
			go serveDirect(conn, deaf)
		}
	}()
	return door{address: "unix:path=" + path, direct: true}
}

// serveDirect authenticates by the words of the D-Bus specification, then
// answers GetAll with scout and everything else with nothing.
func serveDirect(conn net.Conn, deaf int) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		switch line = strings.TrimSpace(strings.TrimLeft(line, "\x00")); {
		case line == "BEGIN":
			answerDirect(conn, in, deaf)
			return
		case strings.HasPrefix(line, "AUTH EXTERNAL"):
			line = "OK 0123456789abcdef0123456789abcdef"
		case line == "DATA":
			line = "OK 0123456789abcdef0123456789abcdef"
		default:
			line = "REJECTED EXTERNAL"
		}
		if _, err := conn.Write([]byte(line + "\r\n")); err != nil {
			return
		}
	}
}

func answerDirect(conn net.Conn, in *bufio.Reader, deaf int) {
	for n := 0; ; n++ {
		question, err := dbus.DecodeMessage(in)
		if err != nil {
			return
		}
		if n < deaf {
			continue
		}
		reply := &dbus.Message{Type: dbus.TypeMethodReply, Headers: map[dbus.HeaderField]dbus.Variant{
			dbus.FieldReplySerial: dbus.MakeVariant(question.Serial()),
		}}
		if question.Headers[dbus.FieldMember].Value() == "GetAll" {
			reply.Body = []any{scout()}
			reply.Headers[dbus.FieldSignature] = dbus.MakeVariant(dbus.SignatureOf(reply.Body...))
		}
		if err := reply.EncodeTo(conn, binary.LittleEndian); err != nil {
			return
		}
	}
}

func TestAddress_PrivateSocketIsTriedUntilItListens(t *testing.T) {
	for _, deaf := range []int{0, 1, 3} {
		c, err := open(t.Context(), bootedRoot(t), []door{directManager(t, deaf)})
		if err != nil {
			t.Fatalf("%d lost messages: %v", deaf, err)
		}
		if u, err := c.Unit(t.Context(), "justnews@scout.service"); err != nil || u.ControlPID != 4711 {
			t.Errorf("%d lost messages: %+v, %v", deaf, u, err)
		}
		c.Close()
	}
}
