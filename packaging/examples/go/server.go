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
	"syscall"
)

func main() {
	listener, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "go %d\n", os.Getpid())
	})}

	stop, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	drained := make(chan error)
	go func() {
		<-stop.Done()
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
