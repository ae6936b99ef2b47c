package experiments_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

// needBrowser makes the lack of a browser a failure, where tests must not skip it.
const needBrowser = "EDGESHARD_TEST_BROWSER"

// A browser is a headless Chromium with one page, driven by the DevTools protocol
// over a pipe.
type browser struct {
	*testing.T
	in      *os.File
	replies chan message
	page    string // its session
	last    int
	seen    []string // URLs that the page asked for
}

// A message is a call, a reply or an event of the DevTools protocol.
type message struct {
	ID      int             `json:"id,omitempty"`
	Method  string          `json:"method,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// openBrowser starts a Chromium, or skips the test where there is none.
func openBrowser(t *testing.T) *browser {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil && program == "" {
			program = path
		}
	}
	if program == "" {
		if os.Getenv(needBrowser) != "" {
			t.Fatalf("no Chromium on the PATH, and $%s is set", needBrowser)
		}
		t.Skip("no Chromium on the PATH: install the package chromium to test the report in it")
	}
	b := &browser{T: t, replies: make(chan message, 1000)}
	b.start(program)
	var target struct{ TargetID, SessionID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &target)
	b.page = target.SessionID
	for _, domain := range []string{"Page", "Runtime", "Network"} {
		b.call(domain+".enable", nil, nil)
	}
	return b
}

func (b *browser) start(program string) {
	b.Helper()
	fromUs, in, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	out, toUs, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	c := exec.Command(program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--remote-debugging-pipe", "--user-data-dir="+b.TempDir())
	c.ExtraFiles = []*os.File{fromUs, toUs} // its files 3 and 4
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	_, _ = fromUs.Close(), toUs.Close()
	b.in = in
	b.Cleanup(func() {
		b.page = ""
		b.call("Browser.close", nil, nil)
		_, _ = in.Close(), c.Wait()
	})
	go func() {
		defer close(b.replies)
		for r := bufio.NewReaderSize(out, 1<<20); ; {
			data, err := r.ReadBytes(0)
			if err != nil {
				return
			}
			var m message
			if json.Unmarshal(data[:len(data)-1], &m) == nil {
				b.replies <- m
			}
		}
	}()
}

// call sends a call and waits for its reply, noting events until then.
func (b *browser) call(method string, params map[string]any, result any) {
	b.Helper()
	if params == nil {
		params = map[string]any{}
	}
	raw, err := json.Marshal(params)
	if err != nil {
		b.Fatal(err)
	}
	b.last++
	data, err := json.Marshal(message{ID: b.last, Method: method, Session: b.page, Params: raw})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := b.in.Write(append(data, 0)); err != nil {
		b.Fatalf("%s: %v", method, err)
	}
	m := b.await(func(m message) bool { return m.ID == b.last })
	if m.Error != nil {
		b.Fatalf("%s: %s", method, m.Error.Message)
	}
	if result != nil {
		if err := json.Unmarshal(m.Result, result); err != nil {
			b.Fatalf("%s: %v", method, err)
		}
	}
}

// await returns the first message that is wanted.
func (b *browser) await(wanted func(message) bool) message {
	b.Helper()
	deadline := time.After(time.Minute)
	for {
		select {
		case m, ok := <-b.replies:
			if !ok {
				b.Fatal("the browser has ended")
			}
			b.note(m)
			if wanted(m) {
				return m
			}
		case <-deadline:
			b.Fatal("the browser has been silent for a minute")
		}
	}
}

func (b *browser) note(m message) {
	var p struct {
		Request          struct{ URL string }
		ExceptionDetails struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	if json.Unmarshal(m.Params, &p) != nil {
		return
	}
	switch m.Method {
	case "Network.requestWillBeSent":
		b.seen = append(b.seen, p.Request.URL)
	case "Runtime.exceptionThrown":
		b.Errorf("the page's script: %s %s", p.ExceptionDetails.Text, p.ExceptionDetails.Exception.Description)
	}
}

// open opens a URL and waits until it has loaded.
func (b *browser) open(url string) {
	b.Helper()
	b.call("Page.navigate", map[string]any{"url": url}, nil)
	b.await(func(m message) bool { return m.Method == "Page.loadEventFired" })
}

// evaluate returns what an expression of JavaScript comes to.
func evaluate[T any](b *browser, expression string) (value T) {
	b.Helper()
	var r struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct{ Exception struct{ Description string } }
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}, &r)
	if r.ExceptionDetails != nil {
		b.Fatalf("%s: %s", expression, r.ExceptionDetails.Exception.Description)
	}
	if err := json.Unmarshal(r.Result.Value, &value); err != nil {
		b.Fatalf("%s: %v", expression, err)
	}
	return value
}

// click clicks, as a mouse does, where an element is.
func (b *browser) click(selector string) {
	b.Helper()
	at := evaluate[[]float64](b, fmt.Sprintf(`(e => { e.scrollIntoView({block: "center"}); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })(document.querySelector(%q))`, selector))
	for _, kind := range []string{"mousePressed", "mouseReleased"} {
		b.call("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": at[0], "y": at[1], "button": "left", "clickCount": 1}, nil)
	}
}

// screen sets the size of the page's screen.
func (b *browser) screen(width, height int) {
	b.Helper()
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}, nil)
}

// data runs a call whose result is a file.
func (b *browser) data(method string, params map[string]any) []byte {
	b.Helper()
	var r struct{ Data []byte }
	b.call(method, params, &r)
	return r.Data
}
