// A Go worker with the standard library: it takes descriptor 3, reports its readiness and drains on SIGTERM.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	listener, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		log.Fatal(err)
	}
	var stopping atomic.Bool
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if stopping.Load() {
			w.Header().Set("Connection", "close")
		}
		fmt.Fprintf(w, "go %d\n", os.Getpid())
	})}

	stop, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	drained := make(chan error)
	go func() {
		<-stop.Done()
		stopping.Store(true)
		time.Sleep(time.Second) // Shutdown closes idle connections at once: let their clients see "Connection: close" first
		drained <- server.Shutdown(context.Background())
	}()
	if notify, err := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET")); err == nil {
		fmt.Fprint(notify, "READY=1")
	}
	if err := server.Serve(listener); err != http.ErrServerClosed {
		log.Fatal(err)
	}
	if err := <-drained; err != nil {
		log.Fatal(err)
	}
}
