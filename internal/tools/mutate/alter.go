package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/constant"
	"go/format"
	"go/token"
	"go/types"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/tools/go/ast/astutil"
	"golang.org/x/tools/go/packages"
)

// mutant is one small change.
type mutant struct {
	id int
	// file and line are where, function is in what.
	file     string
	line     int
	function string
	// from and to are the text there before and after.
	from, to string
}

// name is what a mutant is called where it is explained: line numbers change.
func (m mutant) name() string {
	return fmt.Sprintf("%s %s: %s => %s", filepath.Base(m.file), m.function, m.from, m.to)
}

// altering writes all mutants into the syntax tree of a package.
type altering struct {
	pkg      *packages.Package
	dropped  map[int]bool
	mutants  []mutant
	file     string
	function string
	next     int
	// was says what stood in the place of a node, and on which line, before there
	// were mutants in it.
	was map[ast.Node]place
}

type place struct {
	text string
	line int
}

// alter makes the mutants of a package and returns its files with all of them in,
// by their path. Those that are dropped are
// numbered, which count bounds, and not written.
func alter(pkg *packages.Package, dropped map[int]bool) (mutants []mutant, files map[string][]byte, count int, err error) {
	a := &altering{pkg: pkg, dropped: dropped, was: map[ast.Node]place{}}
	files = map[string][]byte{}
	for i, f := range pkg.Syntax {
		path := pkg.CompiledGoFiles[i]
		a.file = path
		f.Comments = nil
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			a.function = fn.Name.Name
			if fn.Recv != nil {
				a.function = strings.TrimLeft(a.read(fn.Recv.List[0].Type).text, "*") + "." + a.function
			}
			astutil.Apply(fn.Body, a.enter, a.leave)
		}
		var b bytes.Buffer
		if err := format.Node(&b, pkg.Fset, f); err != nil {
			return nil, nil, 0, err
		}
		files[path] = b.Bytes()
	}
	return a.mutants, files, a.next + 1, nil
}

// enter keeps out of what is no expression that is carried out.
func (a *altering) enter(c *astutil.Cursor) bool {
	switch n := c.Node().(type) {
	case ast.Expr, ast.Stmt:
		a.was[n] = a.read(n)
	}
	switch n := c.Node().(type) {
	case *ast.GenDecl:
		return n.Tok != token.CONST && n.Tok != token.TYPE
	case ast.Expr:
		tv, ok := a.pkg.TypesInfo.Types[n]
		return !ok || !tv.IsType() && (tv.Value == nil || tv.Value.Kind() == constant.Bool && isName(n))
	}
	return true
}

func isName(e ast.Expr) bool { _, ok := e.(*ast.Ident); return ok }

// leave puts a mutant in the place of a node whose parts have theirs.
func (a *altering) leave(c *astutil.Cursor) bool {
	switch n := c.Node().(type) {
	case *ast.BinaryExpr:
		a.binary(c, n)
	case *ast.UnaryExpr:
		if n.Op == token.NOT {
			a.replace(c, n, a.text(n), a.text(n.X), func(id int) ast.Expr { return call("zzNot", id, n.X) })
		}
	case *ast.Ident:
		if _, universal := a.pkg.TypesInfo.Uses[n].(*types.Const); universal && (n.Name == "true" || n.Name == "false") {
			to := strconv.FormatBool(n.Name != "true")
			a.replace(c, n, n.Name, to, func(id int) ast.Expr { return call("zzFlip", id, n) })
		}
	case *ast.IfStmt:
		n.Cond = a.negated(n.Cond)
	case *ast.ForStmt:
		if n.Cond != nil {
			n.Cond = a.negated(n.Cond)
		}
	case *ast.IncDecStmt:
		a.step(c, n)
	case *ast.AssignStmt:
		a.assign(c, n)
	case *ast.ExprStmt:
		a.remove(c, n)
	case *ast.ReturnStmt:
		a.returns(n)
	}
	return true
}

// new numbers a mutant; it is false for one that is dropped.
func (a *altering) new(n ast.Node, from, to string) (id int, wanted bool) {
	a.next++
	if a.dropped[a.next] {
		return a.next, false
	}
	a.mutants = append(a.mutants, mutant{a.next, a.file, a.was[n].line, a.function, from, to})
	return a.next, true
}

func (a *altering) replace(c *astutil.Cursor, n ast.Expr, from, to string, with func(id int) ast.Expr) {
	if id, ok := a.new(n, from, to); ok {
		a.put(c, n, with(id))
	}
}

// text is what stood in the place of a node.
func (a *altering) text(n ast.Node) string { return a.was[n].text }

// put puts a mutant in the place of a node.
func (a *altering) put(c *astutil.Cursor, old, now ast.Node) {
	a.was[now] = a.was[old]
	c.Replace(now)
}

// read is the source of a node that has no mutants in it.
func (a *altering) read(n ast.Node) place {
	start, end := a.pkg.Fset.Position(n.Pos()), a.pkg.Fset.Position(n.End())
	source, err := readSource(start.Filename)
	if err != nil || end.Offset > len(source) || start.Offset >= end.Offset {
		return place{line: start.Line}
	}
	return place{strings.Join(strings.Fields(string(source[start.Offset:end.Offset])), " "), start.Line}
}

// opposites are what an operator becomes.
func opposites(op token.Token) []token.Token {
	return map[token.Token][]token.Token{
		token.LSS: {token.LEQ, token.GEQ}, token.LEQ: {token.LSS, token.GTR},
		token.GTR: {token.GEQ, token.LEQ}, token.GEQ: {token.GTR, token.LSS},
		token.EQL: {token.NEQ}, token.NEQ: {token.EQL}, token.LAND: {token.LOR}, token.LOR: {token.LAND},
		token.ADD: {token.SUB}, token.SUB: {token.ADD}, token.MUL: {token.QUO}, token.QUO: {token.MUL}, token.REM: {token.MUL},
		token.AND: {token.OR}, token.OR: {token.AND}, token.XOR: {token.AND}, token.AND_NOT: {token.AND},
		token.SHL: {token.SHR}, token.SHR: {token.SHL},
	}[op]
}

func (a *altering) binary(c *astutil.Cursor, n *ast.BinaryExpr) {
	of, now := a.text(n), ast.Expr(n)
	for _, op := range opposites(n.Op) {
		if !a.suits(n, op) {
			continue
		}
		id, ok := a.new(n, of, a.text(n.X)+" "+op.String()+" "+a.text(n.Y))
		if !ok {
			continue
		}
		switch n.Op {
		case token.LAND:
			now = call("zzAll", id, n.X, later(n.Y))
		case token.LOR:
			now = call("zzAny", id, n.X, later(n.Y))
		case token.LSS, token.LEQ, token.GTR, token.GEQ, token.EQL, token.NEQ:
			now = both(id, now, &ast.BinaryExpr{X: n.X, Op: op, Y: n.Y})
		case token.SHL, token.SHR:
			now = call("zzShift"+way(n.Op), id, a.typed(n.X), n.Y)
		default:
			now = call("zz"+words(n.Op)+words(op), id, n.X, n.Y)
		}
		a.put(c, n, now)
	}
}

// suits leaves out operators that a type does not have, or that change nothing.
func (a *altering) suits(n *ast.BinaryExpr, op token.Token) bool {
	switch op {
	case token.SUB, token.MUL, token.QUO, token.SHL, token.SHR:
		basic, ok := a.pkg.TypesInfo.TypeOf(n).Underlying().(*types.Basic)
		return ok && basic.Info()&types.IsInteger != 0
	default:
		return true
	}
}

// typed is a constant with the type that it has where it stands.
func (a *altering) typed(x ast.Expr) ast.Expr {
	tv := a.pkg.TypesInfo.Types[x]
	if tv.Value == nil {
		return x
	}
	name := types.TypeString(tv.Type, func(p *types.Package) string {
		if p == a.pkg.Types {
			return ""
		}
		return p.Name()
	})
	return &ast.CallExpr{Fun: ast.NewIdent(name), Args: []ast.Expr{x}}
}

func words(op token.Token) string {
	return map[token.Token]string{
		token.ADD: "Add", token.SUB: "Sub", token.MUL: "Mul", token.QUO: "Quo", token.REM: "Rem", token.AND: "And", token.OR: "Or",
		token.XOR: "Xor", token.AND_NOT: "Not",
	}[op]
}

func way(op token.Token) string {
	if op == token.SHL {
		return "Left"
	}
	return "Right"
}

// later is an expression that is carried out only when it is asked for.
func later(x ast.Expr) ast.Expr {
	return &ast.FuncLit{
		Type: &ast.FuncType{Params: &ast.FieldList{}, Results: &ast.FieldList{List: []*ast.Field{{Type: ast.NewIdent("bool")}}}},
		Body: &ast.BlockStmt{List: []ast.Stmt{&ast.ReturnStmt{Results: []ast.Expr{x}}}},
	}
}

// both is the mutant's form where it is alive, and otherwise the old one.
func both(id int, old, mutant ast.Expr) ast.Expr {
	on := &ast.BinaryExpr{X: call("zz", id), Op: token.LAND, Y: &ast.ParenExpr{X: mutant}}
	off := &ast.BinaryExpr{X: &ast.UnaryExpr{Op: token.NOT, X: call("zz", id)}, Op: token.LAND, Y: &ast.ParenExpr{X: old}}
	return &ast.ParenExpr{X: &ast.BinaryExpr{X: on, Op: token.LOR, Y: off}}
}

func call(name string, id int, args ...ast.Expr) *ast.CallExpr {
	return &ast.CallExpr{Fun: ast.NewIdent(name), Args: append([]ast.Expr{&ast.BasicLit{Kind: token.INT, Value: strconv.Itoa(id)}}, args...)}
}

// negated turns a condition round that no operator shows how to.
func (a *altering) negated(cond ast.Expr) ast.Expr {
	switch n := cond.(type) {
	case *ast.Ident, *ast.SelectorExpr, *ast.IndexExpr:
	case *ast.CallExpr:
		if name, ok := n.Fun.(*ast.Ident); ok && strings.HasPrefix(name.Name, "zz") {
			return cond
		}
	default:
		return cond
	}
	of := a.text(cond)
	id, ok := a.new(cond, of, "!"+of)
	if !ok {
		return cond
	}
	out := call("zzFlip", id, cond)
	a.was[out] = a.was[cond]
	return out
}

func (a *altering) step(c *astutil.Cursor, n *ast.IncDecStmt) {
	name, to, by := "zzInc", "--", "++"
	if n.Tok == token.DEC {
		name, to, by = "zzDec", by, to
	}
	if index, ok := n.X.(*ast.IndexExpr); ok {
		if _, isMap := a.pkg.TypesInfo.TypeOf(index.X).Underlying().(*types.Map); isMap {
			return
		}
	}
	of := a.text(n.X)
	if id, ok := a.new(n, of+by, of+to); ok {
		a.put(c, n, &ast.ExprStmt{X: call(name, id, &ast.UnaryExpr{Op: token.AND, X: n.X})})
	}
}

func (a *altering) assign(c *astutil.Cursor, n *ast.AssignStmt) {
	if c.Index() < 0 { // in a head such as that of an if
		return
	}
	if name, ok := n.Lhs[0].(*ast.Ident); n.Tok == token.DEFINE || ok && name.Name == "_" {
		return
	}
	of := a.text(n)
	now := a.remove(c, n)
	op, ok := map[token.Token]token.Token{
		token.ADD_ASSIGN: token.SUB_ASSIGN, token.SUB_ASSIGN: token.ADD_ASSIGN, token.OR_ASSIGN: token.AND_ASSIGN, token.AND_ASSIGN: token.OR_ASSIGN,
	}[n.Tok]
	if basic, isBasic := a.pkg.TypesInfo.TypeOf(n.Lhs[0]).Underlying().(*types.Basic); !ok || !isBasic || basic.Info()&types.IsInteger == 0 {
		return
	}
	if id, ok := a.new(n, of, a.text(n.Lhs[0])+" "+op.String()+" "+a.text(n.Rhs[0])); ok {
		other := &ast.AssignStmt{Lhs: n.Lhs, Tok: op, Rhs: n.Rhs}
		a.put(c, n, &ast.IfStmt{Cond: call("zz", id), Body: &ast.BlockStmt{List: []ast.Stmt{other}}, Else: &ast.BlockStmt{List: []ast.Stmt{now}}})
	}
}

// remove leaves a statement out, and returns what stands in its place.
func (a *altering) remove(c *astutil.Cursor, n ast.Stmt) ast.Stmt {
	if c.Index() < 0 {
		return n
	}
	if e, ok := n.(*ast.ExprStmt); ok {
		called, isCall := e.X.(*ast.CallExpr)
		if !isCall {
			return n
		}
		if f, ok := called.Fun.(*ast.Ident); ok && (f.Name == "panic" || strings.HasPrefix(f.Name, "zz")) {
			return n
		}
	}
	id, ok := a.new(n, a.text(n), "(nothing)")
	if !ok {
		return n
	}
	now := &ast.IfStmt{Cond: &ast.UnaryExpr{Op: token.NOT, X: call("zz", id)}, Body: &ast.BlockStmt{List: []ast.Stmt{n}}}
	a.put(c, n, now)
	return now
}

// returns makes a function return the zero value.
func (a *altering) returns(n *ast.ReturnStmt) {
	for i, e := range n.Results {
		tv := a.pkg.TypesInfo.Types[e]
		if tv.Type == nil || tv.IsNil() || tv.Value != nil {
			continue
		}
		if _, isTuple := tv.Type.(*types.Tuple); isTuple {
			continue
		}
		if basic, ok := tv.Type.Underlying().(*types.Basic); ok && basic.Info()&types.IsBoolean != 0 && !plainBool(e) {
			continue // its operators are mutated
		}
		if id, ok := a.new(e, "return "+a.text(e), "return the zero value"); ok {
			n.Results[i] = call("zzZero", id, e)
		}
	}
}

func plainBool(e ast.Expr) bool {
	called, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	f, isName := called.Fun.(*ast.Ident)
	return !isName || !strings.HasPrefix(f.Name, "zz")
}
