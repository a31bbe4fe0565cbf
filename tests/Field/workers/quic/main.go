// A QUIC server and its clients on quic-go, for tests/Field/steering/quic.case.
//
//	quic server flow|quic-cid    a worker: answers each line of a stream with its generation, its pid and the line
//	quic clients ADDRESS N STOP  N connections that send numbered lines until the file STOP exists. Exits with 1 if one broke
//	quic movers ADDRESS N STOP   the same, and each connection changes its address all the time
package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/lucas-clemente/quic-go"
)

const (
	cookieLength = 8
	idLength     = 16
	pause        = 20 * time.Millisecond
	moves        = 400 * time.Millisecond
	patience     = 10 * time.Second
)

// cookies issues connection ids that begin with the worker's cookie.
type cookies []byte

func (cookie cookies) GenerateConnectionID() ([]byte, error) {
	id := make([]byte, idLength)
	copy(id, cookie)
	_, err := rand.Read(id[len(cookie):])
	return id, err
}

func (cookies) ConnectionIDLen() int { return idLength }

func main() {
	if os.Args[1] == "server" {
		serve(os.Args[2] == "quic-cid")
		return
	}
	count, err := strconv.Atoi(os.Args[3])
	check(err)
	run(os.Args[2], count, os.Args[1] == "movers", os.Args[4])
}

func serve(withCookie bool) {
	file := os.NewFile(3, "listener")
	socket, err := net.FilePacketConn(file)
	check(err)
	config := &quic.Config{MaxIdleTimeout: patience}
	if withCookie {
		cookie, err := hex.DecodeString(os.Getenv("LISTEND_COOKIES"))
		check(err)
		config.ConnectionIDGenerator = cookies(cookie)
	}
	listener, err := quic.Listen(socket, certificate(), config)
	check(err)
	name := os.Getenv("LISTEND_GENERATION") + " " + strconv.Itoa(os.Getpid())
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	notify, err := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET"))
	check(err)
	fmt.Fprint(notify, "READY=1")
	go func() {
		<-stop
		os.Exit(0)
	}()
	for {
		connection, err := listener.Accept(context.Background())
		check(err)
		go answer(connection, name)
	}
}

func answer(connection quic.Connection, name string) {
	stream, err := connection.AcceptStream(context.Background())
	if err != nil {
		return
	}
	for lines := bufio.NewScanner(stream); lines.Scan(); {
		fmt.Fprintf(stream, "%s %s\n", name, lines.Text())
	}
	// It has ended its side: the flow is over.
	stream.Close()
}

func certificate() *tls.Config {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour)}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	check(err)
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}}, NextProtos: []string{"lines"},
	}
}

// A moving client has several sockets, as behind a translator of addresses that forgets it: it sends from the newest one, and
// receives on all, because the server of this library answers to the first address.
type moving struct {
	net.PacketConn
	mutex   sync.Mutex
	newest  net.PacketConn
	arrived chan packet
}

type packet struct {
	data []byte
	from net.Addr
}

func newMoving() *moving {
	client := &moving{arrived: make(chan packet, 1024)}
	client.move()
	client.PacketConn = client.newest
	return client
}

func (client *moving) move() {
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	check(err)
	client.mutex.Lock()
	client.newest = socket
	client.mutex.Unlock()
	go func() {
		for {
			data := make([]byte, 2048)
			length, from, err := socket.ReadFrom(data)
			if err != nil {
				return
			}
			client.arrived <- packet{data[:length], from}
		}
	}()
}

func (client *moving) ReadFrom(data []byte) (int, net.Addr, error) {
	next := <-client.arrived
	return copy(data, next.data), next.from, nil
}

func (client *moving) WriteTo(data []byte, to net.Addr) (int, error) {
	client.mutex.Lock()
	defer client.mutex.Unlock()
	return client.newest.WriteTo(data, to)
}

var answered, moved, misrouted, broken int64

func run(address string, count int, changes bool, stop string) {
	to, err := net.ResolveUDPAddr("udp", address)
	check(err)
	var all sync.WaitGroup
	ends := make(chan struct{})
	for i := 0; i < count; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			if err := converse(to, changes, ends); err != nil {
				fmt.Println("broken:", err)
				atomic.AddInt64(&broken, 1)
			}
		}()
	}
	for {
		if _, err := os.Stat(stop); err == nil {
			break
		}
		time.Sleep(pause)
	}
	close(ends)
	all.Wait()
	fmt.Printf("%d connections, %d answers, %d changes of address, %d answers of another worker, %d connections broken\n",
		count, answered, moved, misrouted, broken)
	if broken > 0 || misrouted > 0 {
		os.Exit(1)
	}
}

// converse has a connection until the end, and says why it broke.
func converse(to net.Addr, changes bool, ends chan struct{}) error {
	client := newMoving()
	trust := &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"lines"}}
	connection, err := quic.Dial(client, to, "localhost", trust, &quic.Config{MaxIdleTimeout: patience})
	if err != nil {
		return err
	}
	defer connection.CloseWithError(0, "")
	stream, err := connection.OpenStreamSync(context.Background())
	if err != nil {
		return err
	}
	stream.SetDeadline(time.Now().Add(patience))
	reader := bufio.NewReader(stream)
	worker := ""
	last := time.Now()
	for number := 0; ; number++ {
		select {
		case <-ends:
			return nil
		case <-time.After(pause):
		}
		if changes && time.Since(last) > moves {
			client.move()
			last = time.Now()
			atomic.AddInt64(&moved, 1)
		}
		stream.SetDeadline(time.Now().Add(patience))
		if _, err := fmt.Fprintln(stream, number); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		line, err := reader.ReadString('\n')
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		words := strings.Fields(line)
		if len(words) != 3 || words[2] != strconv.Itoa(number) {
			return fmt.Errorf("line %d: answered %q", number, line)
		}
		if worker == "" {
			worker = words[1]
		}
		if words[1] != worker {
			atomic.AddInt64(&misrouted, 1)
		}
		atomic.AddInt64(&answered, 1)
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
