package node_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// What an operator was told is durable is shown so at once.
func TestAWordIsShownAsDurableAtOnce(t *testing.T) {
	n := start(t, t.TempDir())
	for _, host := range []string{"a", "b", "c", "d", "e"} {
		at := "http://" + n.Addresses().HTTP + "/v1/breakers/host/" + host + ".example"
		resp, err := http.Post(at+"/open", "application/json", strings.NewReader(`{"for":"10m"}`))
		if err != nil {
			t.Fatal(err)
		}
		told, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp, err = http.Get(at); err != nil {
			t.Fatal(err)
		}
		shown, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		for _, text := range []string{string(told), string(shown)} {
			if !strings.Contains(text, `"durable":true`) {
				t.Errorf("%s: %s", host, text)
			}
		}
	}
}
