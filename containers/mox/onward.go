// Hands on what mox takes in: mox delivers to mailboxes of its own alone. At each webhook of mox it asks mox's web API
// for the message as it is stored and gives it, unchanged, to the mail exchanger of its recipient's domain.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/smtp"
	"net/textproto"
	"net/url"
	"os"
	"strings"
)

// As mox sends it (webhook.Incoming of v0.0.15), as far as it is needed.
type incoming struct {
	Meta struct {
		MsgID    int64
		MailFrom string
		RcptTo   string
	}
}

// Ids of messages that were handed on, one a line: mox may tell of one again that it told of when it was stopped.
const done = "/mox/onward"

func main() {
	log.SetFlags(0)
	log.SetPrefix("onward: ")
	user, err := os.ReadFile("/mox/config/user")
	if err != nil {
		log.Fatal(err)
	}
	name, password, _ := strings.Cut(strings.TrimSpace(string(user)), " ")
	// mox tells of one message at a time, and comes again after anything but a success.
	log.Fatal(http.ListenAndServe("127.0.0.1:8081", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := handOn(r.Body, name, password); err != nil {
			log.Print(err)
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	})))
}

func handOn(hook io.Reader, name, password string) error {
	var in incoming
	if err := json.NewDecoder(hook).Decode(&in); err != nil {
		return err
	}
	if known(in.Meta.MsgID) {
		return nil
	}
	content, err := stored(in.Meta.MsgID, name, password)
	if err != nil {
		return err
	}
	_, domain, _ := strings.Cut(in.Meta.RcptTo, "@")
	exchangers, err := net.LookupMX(domain)
	if err != nil {
		return err
	}
	to := []string{in.Meta.RcptTo}
	err = smtp.SendMail(strings.TrimSuffix(exchangers[0].Host, ".")+":25", nil, in.Meta.MailFrom, to, content)
	var refused *textproto.Error
	if errors.As(err, &refused) && refused.Code >= 500 {
		log.Printf("message %d for %s is not wanted: %v", in.Meta.MsgID, in.Meta.RcptTo, err)
		return nil
	}
	if err != nil {
		return err
	}
	return remember(in.Meta.MsgID)
}

func known(id int64) bool {
	ids, _ := os.ReadFile(done)
	return bytes.Contains(append([]byte("\n"), ids...), fmt.Appendf(nil, "\n%d\n", id))
}

func remember(id int64) error {
	file, err := os.OpenFile(done, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = fmt.Fprintf(file, "%d\n", id)
	return err
}

func stored(id int64, name, password string) ([]byte, error) {
	form := url.Values{"request": {fmt.Sprintf(`{"MsgID":%d}`, id)}}.Encode()
	ask, err := http.NewRequest("POST", "http://127.0.0.1:8080/webapi/v0/MessageRawGet", strings.NewReader(form))
	if err != nil {
		return nil, err
	}
	ask.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	ask.SetBasicAuth(name, password)
	answer, err := http.DefaultClient.Do(ask)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	content := new(bytes.Buffer)
	if _, err := content.ReadFrom(answer.Body); err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("mox answers %s for message %d: %s", answer.Status, id, content)
	}
	return content.Bytes(), nil
}
