package serve

import "net/http"

// models answers /v1/models.
func (s *Server) models(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, object{"object": "list", "data": []object{s.describe()}})
}

// model answers /v1/models/MODEL.
func (s *Server) model(w http.ResponseWriter, r *http.Request) {
	if name := r.PathValue("model"); name != s.options.Model.Name {
		refuse(w, noModel(name, &s.options.Model))
		return
	}
	answer(w, http.StatusOK, s.describe())
}

// describe tells of the model what the API knows, and what clients need to know
// beyond it.
func (s *Server) describe() object {
	m := &s.options.Model
	return object{
		"id": m.Name, "object": "model", "created": s.started.Unix(), "owned_by": "edgeshard",
		"max_prompt_tokens": m.Prompt, "max_model_len": m.Positions,
		"chat_template": m.Template.Name, "chat_template_note": m.Template.Note,
	}
}
