// SPDX-License-Identifier: Apache-2.0

package host

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"
)

func TestNetlink_IncompleteAnswerIsNoAnswer(t *testing.T) {
	message := func(kind uint16, data []byte) []byte {
		b := make([]byte, unix.NLMSG_HDRLEN, unix.NLMSG_HDRLEN+len(data))
		binary.NativeEndian.PutUint32(b, uint32(unix.NLMSG_HDRLEN+len(data)))
		binary.NativeEndian.PutUint16(b[4:], kind)
		return append(b, data...)
	}
	errno := int32(unix.ENOENT)
	whole := message(sockDiagByFamily, make([]byte, diagMessageLen))
	for what, datagram := range map[string][]byte{
		"an error":      message(unix.NLMSG_ERROR, binary.NativeEndian.AppendUint32(nil, uint32(-errno))),
		"an end":        message(unix.NLMSG_DONE, make([]byte, diagMessageLen)),
		"a short one":   message(sockDiagByFamily, make([]byte, diagMessageLen-4)),
		"another type":  message(99, make([]byte, diagMessageLen)),
		"two":           append(append([]byte{}, whole...), whole...),
		"half a header": make([]byte, 3),
		"nothing":       nil,
	} {
		if m, err := oneMessage(datagram, sockDiagByFamily, diagMessageLen); err == nil {
			t.Errorf("%s: %v; want an error", what, m)
		}
	}
	if m, err := oneMessage(whole, sockDiagByFamily, diagMessageLen); err != nil || len(m) != diagMessageLen {
		t.Errorf("%v, %v", m, err)
	}
}
