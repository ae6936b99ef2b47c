package models

import (
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// The fields of SentencePiece's ModelProto that encoding depends on, after
// https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto.
const (
	protoPieces, protoTrainer, protoNormalizer = 1, 2, 3 // ModelProto

	protoPieceText, protoPieceScore, protoPieceKind = 1, 2, 3 // SentencePiece

	protoModelType, protoSuffix, protoByteFallback, protoBOSPiece, protoEOSPiece = 3, 24, 35, 46, 47 // TrainerSpec

	protoCharsmap, protoDummyPrefix, protoSqueeze, protoEscape = 2, 3, 4, 5 // NormalizerSpec

	protoBPE = 2 // TrainerSpec.ModelType
)

// A protoField is a field of a message.
type protoField struct {
	number  protowire.Number
	integer uint64 // of a varint or fixed field
	bytes   []byte // of a length-delimited one
}

// eachField calls f for every field of an encoded message.
func eachField(message []byte, f func(protoField) error) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return fmt.Errorf("protobuf: %w", protowire.ParseError(n))
		}
		message = message[n:]
		field := protoField{number: number}
		switch kind {
		case protowire.VarintType:
			field.integer, n = protowire.ConsumeVarint(message)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(message)
			field.integer = uint64(v)
		case protowire.BytesType:
			field.bytes, n = protowire.ConsumeBytes(message)
		default:
			n = protowire.ConsumeFieldValue(number, kind, message)
		}
		if n < 0 {
			return fmt.Errorf("protobuf: %w", protowire.ParseError(n))
		}
		message = message[n:]
		if err := f(field); err != nil {
			return err
		}
	}
	return nil
}

// A sentencePieceModel collects a ModelProto.
type sentencePieceModel struct {
	vocabulary
	modelType          uint64
	bosPiece, eosPiece string
}

// parseSentencePiece reads a tokenizer.model.
func parseSentencePiece(data []byte) (*Tokenizer, error) {
	m := sentencePieceModel{
		vocabulary: vocabulary{unk: -1, bos: -1, eos: -1, dummyPrefix: true, squeeze: true, addBOS: true},
		modelType:  1, bosPiece: "<s>", eosPiece: "</s>",
	}
	err := eachField(data, func(f protoField) error {
		switch f.number {
		case protoPieces:
			return m.addPiece(f.bytes)
		case protoTrainer:
			return eachField(f.bytes, m.setTrainer)
		case protoNormalizer:
			return eachField(f.bytes, m.setNormalizer)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if m.modelType != protoBPE {
		return nil, fmt.Errorf("SentencePiece model of type %d: want BPE, %d", m.modelType, protoBPE)
	}
	m.findControls()
	return newTokenizer(m.vocabulary)
}

func (m *sentencePieceModel) addPiece(message []byte) error {
	p := piece{kind: normalPiece}
	err := eachField(message, func(f protoField) error {
		switch f.number {
		case protoPieceText:
			p.text = string(f.bytes)
		case protoPieceScore:
			p.score = math.Float32frombits(uint32(f.integer))
		case protoPieceKind:
			p.kind = pieceKind(min(f.integer, math.MaxUint8))
		}
		return nil
	})
	m.pieces = append(m.pieces, p)
	return err
}

func (m *sentencePieceModel) setTrainer(f protoField) error {
	switch f.number {
	case protoModelType:
		m.modelType = f.integer
	case protoByteFallback:
		m.byteFallback = f.integer != 0
	case protoBOSPiece:
		m.bosPiece = string(f.bytes)
	case protoEOSPiece:
		m.eosPiece = string(f.bytes)
	case protoSuffix:
		if f.integer != 0 {
			return errors.New("treat_whitespace_as_suffix is not supported")
		}
	}
	return nil
}

func (m *sentencePieceModel) setNormalizer(f protoField) error {
	switch f.number {
	case protoCharsmap:
		if len(f.bytes) > 0 {
			return errors.New("normalization by a character map is not supported: want the identity, as Llama 2 has it")
		}
	case protoDummyPrefix:
		m.dummyPrefix = f.integer != 0
	case protoSqueeze:
		m.squeeze = f.integer != 0
	case protoEscape:
		if f.integer == 0 {
			return errors.New("escape_whitespaces = false is not supported")
		}
	}
	return nil
}

// findControls looks up the ids that the file tells by name or by type.
func (m *sentencePieceModel) findControls() {
	for id, p := range m.pieces {
		switch {
		case p.kind == unknownPiece && m.unk < 0:
			m.unk = id
		case p.kind == controlPiece && p.text == m.bosPiece:
			m.bos = id
		case p.kind == controlPiece && p.text == m.eosPiece:
			m.eos = id
		}
	}
}
