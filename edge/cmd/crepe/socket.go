package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
)

// inheritedSocket returns the listening socket that systemd, or a program that does the same, has passed to this process; nil for none
// (sd_listen_fds(3): one socket, as file descriptor 3). It removes the variables that say so from the environment.
func inheritedSocket() (net.Listener, error) {
	const first = 3
	pid, fds := os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDS")
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		os.Unsetenv(name)
	}
	if pid != strconv.Itoa(os.Getpid()) || fds == "" || fds == "0" {
		return nil, nil
	}
	if fds != "1" {
		return nil, fmt.Errorf("%s sockets were passed, expected one: crepe.socket has one ListenStream", fds)
	}
	file := os.NewFile(first, "socket")
	defer file.Close() // the listener has its own descriptor
	listener, err := net.FileListener(file)
	if err != nil {
		return nil, fmt.Errorf("what was passed is not a listening socket (crepe.socket has ListenStream and Accept=no): %w", err)
	}
	return listener, nil
}
