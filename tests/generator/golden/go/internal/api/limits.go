package api

import (
	"container/list"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"acme-works/internal/access"
	"acme-works/internal/problem"
)

const (
	limitWindow = time.Minute
	// Who has not asked for the longest is forgotten first.
	limitedCallers = 10_000
)

// Limiter gives each caller so many requests a minute, as many of them at once as it likes. Each process counts for
// itself: real limits belong to the gateway.
type Limiter struct {
	perMinute int

	mutex    sync.Mutex
	byCaller map[string]*list.Element
	inOrder  *list.List
}

type bucket struct {
	caller string
	left   float64
	seen   time.Time
}

// NewLimiter limits nothing if the number is 0.
func NewLimiter(perMinute int) *Limiter {
	return &Limiter{perMinute: perMinute, byCaller: map[string]*list.Element{}, inOrder: list.New()}
}

// Take tells the caller what is left. One with nothing left is refused.
func (l *Limiter) Take(caller string, header http.Header) error {
	if l.perMinute == 0 {
		return nil
	}
	left, refused := l.take(caller)
	wait := int(math.Ceil(max(0, 1-left) * limitWindow.Seconds() / float64(l.perMinute)))
	rest := 0
	if !refused {
		rest = int(left - 1)
	}
	header.Set("RateLimit-Policy", fmt.Sprintf(`"minute";q=%d;w=%d`, l.perMinute, int(limitWindow.Seconds())))
	header.Set("RateLimit", fmt.Sprintf(`"minute";r=%d;t=%d`, rest, wait))
	if !refused {
		return nil
	}
	refusal := problem.New(http.StatusTooManyRequests, "rate_limited",
		fmt.Sprintf("At most %d requests a minute; try again in %d s.", l.perMinute, wait))
	refusal.Header = map[string]string{"Retry-After": strconv.Itoa(wait)}
	return refusal
}

func (l *Limiter) take(caller string) (left float64, refused bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	now, full := time.Now(), float64(l.perMinute)
	found := bucket{caller, full, now}
	if known, there := l.byCaller[caller]; there {
		found = l.inOrder.Remove(known).(bucket)
	}
	left = min(full, found.left+now.Sub(found.seen).Seconds()*full/limitWindow.Seconds())
	found.left, found.seen, refused = left, now, left < 1
	if !refused {
		found.left--
	}
	l.byCaller[caller] = l.inOrder.PushBack(found)
	if l.inOrder.Len() > limitedCallers {
		oldest := l.inOrder.Remove(l.inOrder.Front()).(bucket)
		delete(l.byCaller, oldest.caller)
	}
	return left, refused
}

// limited is by whom requests are counted: by caller, and those who do not say who they are by address.
func limited(caller access.Principal, r *http.Request) string {
	if id := caller.Actor(); id != nil {
		tenant := ""
		if caller.TenantID != nil {
			tenant = fmt.Sprint(*caller.TenantID)
		}
		return fmt.Sprintf("%s %s %s", caller.Kind, tenant, *id)
	}
	return string(caller.Kind) + " " + network(r)
}

// network is where the caller is: who has an IPv6 address has the others of its /64 as well.
func network(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	address = address.Unmap().WithZone("")
	if address.Is4() {
		return address.String()
	}
	return netip.PrefixFrom(address, 64).Masked().String()
}
