package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"syscall"
	"time"
)

// Frames of RFC 9113, section 6.
const (
	headBytes   = 9
	dataFrame   = 0
	headers     = 1
	resetStream = 3
	settings    = 4
	ping        = 6
	goAway      = 7
	endStream   = 0x1
	ack         = 0x1
)

// More than a turn reads or writes, so that no buffer grows.
const readBytes = 1 << 20

// connection makes every n-th call, n being the number of connections. Its streams are those calls in order.
type connection struct {
	load
	calls    *calls
	socket   int
	first    int           // the place of its first call
	started  int           // how many calls
	ended    int           // how many calls
	received []int32       // bytes of the response, by stream
	heldTo   time.Duration // when a call that was due was last held back
	out      []byte
	in       []byte
	filled   int // bytes of in
}

func open(load load, calls *calls, first int) (*connection, error) {
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, err
	}
	if err := syscall.Connect(socket, &syscall.SockaddrInet4{Port: load.Port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return nil, err
	}
	if err := syscall.SetsockoptInt(socket, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1); err != nil {
		return nil, err
	}
	if err := syscall.SetNonblock(socket, true); err != nil {
		return nil, err
	}
	streams := len(calls.took)/load.Connections + 1
	connection := &connection{load: load, calls: calls, socket: socket, first: first, received: make([]int32, streams)}
	connection.in = make([]byte, readBytes)
	connection.out = append(make([]byte, 0, readBytes), load.Opening...)
	return connection, nil
}

// turn starts the calls that are due, and reads what has arrived.
func (c *connection) turn() error {
	c.startDue()
	if err := c.flush(); err != nil {
		return err
	}
	return c.read()
}

func (c *connection) place(stream int) int {
	return c.first + stream*c.Connections
}

func (c *connection) startDue() {
	now := c.calls.now()
	for {
		place := c.place(c.started)
		if place >= len(c.calls.took) || c.calls.due(place) > now {
			return
		}
		if c.started-c.ended >= c.Streams {
			c.heldTo = now
			return
		}
		if c.calls.due(place) > c.heldTo {
			c.calls.late[place] = now - c.calls.due(place)
		}
		c.startCall()
	}
}

func (c *connection) startCall() {
	request := c.Later
	if c.started == 0 {
		request = c.First
	}
	begin := len(c.out)
	c.out = append(c.out, request...)
	if span := bytes.Index(c.out[begin:], []byte(c.Span)); span >= 0 {
		putHex(c.out[begin+span:][:len(c.Span)], c.place(c.started))
	}
	for begin < len(c.out) {
		binary.BigEndian.PutUint32(c.out[begin+5:], uint32(c.started*2+1))
		begin += frameBytes(c.out[begin:])
	}
	c.started++
}

// putHex writes a number with leading zeros.
func putHex(into []byte, number int) {
	for index := len(into) - 1; index >= 0; index-- {
		into[index] = "0123456789abcdef"[number&15]
		number >>= 4
	}
}

// frameBytes is the size of a frame with its head.
func frameBytes(frame []byte) int {
	return headBytes + int(frame[0])<<16 + int(frame[1])<<8 + int(frame[2])
}

func (c *connection) flush() error {
	for len(c.out) > 0 {
		written, err := syscall.Write(c.socket, c.out)
		if errors.Is(err, syscall.EAGAIN) {
			return nil
		}
		if err != nil {
			return err
		}
		rest := copy(c.out, c.out[written:])
		c.out = c.out[:rest]
	}
	return nil
}

func (c *connection) read() error {
	count, err := syscall.Read(c.socket, c.in[c.filled:])
	if errors.Is(err, syscall.EAGAIN) {
		return nil
	}
	if err != nil {
		return err
	}
	if count == 0 {
		return errors.New("expected a response, found the end of the connection")
	}
	c.filled += count
	offset := 0
	for {
		rest := c.in[offset:c.filled]
		if len(rest) < headBytes {
			break
		}
		end := frameBytes(rest)
		if len(rest) < end {
			break
		}
		stream := int(binary.BigEndian.Uint32(rest[5:]) & 0x7fffffff)
		if err := c.onFrame(rest[3], rest[4], stream, rest[headBytes:end]); err != nil {
			return err
		}
		offset += end
	}
	c.filled = copy(c.in, c.in[offset:c.filled])
	return nil
}

func (c *connection) onFrame(kind byte, flags byte, stream int, payload []byte) error {
	switch kind {
	case dataFrame, headers:
		if kind == dataFrame {
			if err := c.onData((stream-1)/2, payload); err != nil {
				return err
			}
		}
		if flags&endStream != 0 {
			return c.onEnd((stream - 1) / 2)
		}
	case settings, ping:
		if flags&ack != 0 {
			return nil
		}
		if kind == settings {
			payload = nil
		}
		c.out = append(c.out, 0, 0, byte(len(payload)), kind, ack, 0, 0, 0, 0)
		c.out = append(c.out, payload...)
	case resetStream, goAway:
		return fmt.Errorf("expected a response, found a frame of type %d: %x", kind, payload)
	}
	return nil
}

func (c *connection) onData(stream int, payload []byte) error {
	begin := int(c.received[stream])
	end := begin + len(payload)
	if end > len(c.Reply) || !bytes.Equal(c.Reply[begin:end], payload) {
		return fmt.Errorf("expected the reply %x, found %x from byte %d", c.Reply, payload, begin)
	}
	c.received[stream] = int32(end)
	return nil
}

func (c *connection) onEnd(stream int) error {
	found := int(c.received[stream])
	isRefused := c.MayRefuse && found == 0
	if !isRefused && found != len(c.Reply) {
		return fmt.Errorf("expected %d bytes, found %d at the end of the call", len(c.Reply), found)
	}
	place := c.place(stream)
	if isRefused {
		c.calls.refused++
	} else {
		c.calls.took[place] = c.calls.now() - c.calls.due(place)
	}
	c.calls.ended++
	c.ended++
	return nil
}
