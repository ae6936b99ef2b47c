package models

import "encoding/json"

// tokenizerConfigFile is where a Hugging Face checkpoint may keep its chat template.
const tokenizerConfigFile = "tokenizer_config.json"

// ChatTemplate returns the chat template that a checkpoint carries, in the
// language of Hugging Face's (Jinja), "" if it carries none.
func ChatTemplate(c Checkpoint) string {
	own, ok := c.(*checkpoint)
	if !ok {
		return ""
	}
	if s, ok := own.source.(interface{ chatTemplate() string }); ok {
		return s.chatTemplate()
	}
	return ""
}

func (s *ggufSource) chatTemplate() string {
	m := &ggufMeta{values: s.file.values}
	text := m.stringOr("tokenizer.chat_template", "")
	if m.err != nil {
		return "" // it is no text
	}
	return text
}

func (s *huggingFaceSource) chatTemplate() string {
	data, err := s.files.contents(tokenizerConfigFile)
	if err != nil {
		return "" // a file that need not be there
	}
	var config struct {
		Template json.RawMessage `json:"chat_template"`
	}
	if json.Unmarshal(data, &config) != nil {
		return ""
	}
	var one string
	if json.Unmarshal(config.Template, &one) == nil {
		return one
	}
	var several []struct {
		Name     string `json:"name"`
		Template string `json:"template"`
	}
	_ = json.Unmarshal(config.Template, &several) // neither: then there is none
	for _, t := range several {
		if t.Name == "default" {
			return t.Template
		}
	}
	return ""
}
