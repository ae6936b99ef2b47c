package serve

import (
	"fmt"
	"strings"

	"github.com/edgeshard/edgeshard/models"
)

// A Message is a turn of a chat.
type Message struct {
	Role string // system, user or assistant
	Text string
}

// A Template is how a chat becomes tokens.
type Template struct {
	Name string
	Note string // what there is to know about it
	// Encode returns the tokens after which the assistant's next turn is generated.
	Encode func(t *models.Tokenizer, chat []Message) ([]int, error)
}

// Llama2 is the template Meta trained Llama 2's chat models with.
var Llama2 = Template{Name: "llama2", Note: "Llama 2's chat template", Encode: encodeLlama2}

// Plain is for models that know no chats: the turns follow one another, a line
// each, and the model continues the text.
var Plain = Template{
	Name: "plain", Note: "the model knows no chats: the messages' texts are joined by line breaks, and it continues the last one",
	Encode: encodePlain,
}

// TemplateNamed returns a template by its name.
func TemplateNamed(name string) (Template, error) {
	for _, t := range []Template{Llama2, Plain} {
		if t.Name == name {
			return t, nil
		}
	}
	return Template{}, fmt.Errorf("chat template %q: want %s or %s", name, Llama2.Name, Plain.Name)
}

// TemplateFor returns the template of a model whose checkpoint comes with the
// given one, in the language of Hugging Face's; "": none. ok is false for a
// model that was trained with another template than those here.
func TemplateFor(own string) (t Template, ok bool) {
	if strings.Contains(own, "[INST]") && strings.Contains(own, "<<SYS>>") {
		return Llama2, true
	}
	return Plain, own == ""
}

func encodePlain(t *models.Tokenizer, chat []Message) ([]int, error) {
	texts := make([]string, len(chat))
	for i, m := range chat {
		texts[i] = m.Text
	}
	return t.Prompt(strings.Join(texts, "\n")), nil
}

// The tags of Llama 2's template. Control tokens come from no text, so these are
// all that a message could forge.
const (
	instBegin, instEnd = "[INST]", "[/INST]"
	sysBegin, sysEnd   = "<<SYS>>\n", "\n<</SYS>>\n\n"
)

// encodeLlama2 follows Meta's own encoding (facebookresearch/llama,
// llama/generation.py, chat_completion): each question and its answer between
// BOS and EOS, and the system's message within the first question.
func encodeLlama2(t *models.Tokenizer, chat []Message) ([]int, error) {
	chat, err := foldSystem(chat)
	if err != nil {
		return nil, err
	}
	var ids []int
	for i, m := range chat {
		want := []string{"user", "assistant"}[i%2]
		switch {
		case m.Role != want:
			return nil, fmt.Errorf("message %d of the conversation is the %s's: in Llama 2's template user and assistant take turns, the user first", i+1, m.Role)
		case m.Role == "assistant":
			ids = append(ids, t.Encode(fmt.Sprintf("%s %s %s %s ", instBegin, strings.TrimSpace(chat[i-1].Text), instEnd, strings.TrimSpace(m.Text)), true)...)
			ids = append(ids, t.EOS())
		}
	}
	if len(chat)%2 == 0 {
		return nil, fmt.Errorf("the last message is the %s's: want the user's", chat[len(chat)-1].Role)
	}
	last := chat[len(chat)-1].Text
	return append(ids, t.Encode(fmt.Sprintf("%s %s %s", instBegin, strings.TrimSpace(last), instEnd), true)...), nil
}

// foldSystem puts the system's message into the user's first, and makes sure
// that no message pretends to be more than one.
func foldSystem(chat []Message) ([]Message, error) {
	for i, m := range chat {
		for _, tag := range []string{instBegin, instEnd, strings.TrimSpace(sysBegin), strings.TrimSpace(sysEnd)} {
			if strings.Contains(m.Text, tag) {
				return nil, fmt.Errorf("message %d contains %s, a tag of Llama 2's template", i+1, tag)
			}
		}
	}
	if len(chat) == 0 || chat[0].Role != "system" {
		return chat, nil
	}
	if len(chat) == 1 {
		return nil, fmt.Errorf("the only message is the system's: want one of the user")
	}
	folded := append([]Message(nil), chat[1:]...)
	folded[0].Text = sysBegin + chat[0].Text + sysEnd + folded[0].Text
	return folded, nil
}
