using Acornima;
using Acornima.Ast;

namespace Supervisor.Config.Import;

/// <summary>Runs the statements and expressions of a script, within a budget.</summary>
/// <param name="file">The script.</param>
/// <param name="remedy">What to do instead if the script needs more than this.</param>
/// <param name="module">A module that the script requires, by the place and its name.</param>
internal sealed class ScriptInterpreter(string file, string remedy, Func<Node, string, DataMap> module)
{
    private readonly ScriptBudget _budget = new(file, remedy);
    private readonly List<(string Name, int Line)> _variables = [];
    private readonly List<int> _processors = [];

    /// <summary><see cref="ScriptData.Variables"/>.</summary>
    public IReadOnlyList<(string Name, int Line)> Variables => _variables;

    /// <summary><see cref="ScriptData.Processors"/>.</summary>
    public IReadOnlyList<int> Processors => _processors;

    /// <summary>Runs a statement. Returns the value of a return statement; null for another one.</summary>
    public DataNode? Run(Statement statement, ScriptScope scope)
    {
        switch (statement)
        {
            case VariableDeclaration declaration:
                foreach (var one in declaration.Declarations)
                {
                    Bind(one.Id, one.Init is null ? new DataNode(LineOf(one), null) : Of(one.Init, scope), scope);
                }

                return null;
            case FunctionDeclaration { Id: { } id } function:
                scope.Set(id.Name, new DataNode(LineOf(function), Function(function, scope)));
                return null;
            case ReturnStatement { Argument: { } value }:
                return Of(value, scope);
            case ExpressionStatement expression:
                Of(expression.Expression, scope);
                return null;
            case IfStatement choice:
                return Of(choice.Test, scope).IsTrue ? Run(choice.Consequent, scope)
                    : choice.Alternate is { } other ? Run(other, scope)
                    : null;
            case NestedBlockStatement block:
                return block.Body.Select(one => Run(one, scope)).FirstOrDefault(result => result is not null);
            case EmptyStatement:
                return null;
            default:
                throw Unknown(statement);
        }
    }

    private static void Bind(Node pattern, DataNode value, ScriptScope scope)
    {
        if (pattern is Identifier name)
        {
            scope.Set(name.Name, value);
        }
        else if (pattern is ObjectPattern members)
        {
            foreach (var property in members.Properties.OfType<Property>())
            {
                var member = value.Members?[Name(property.Key)!] ?? new DataNode(value.Line, null);
                Bind(property.Value, member with { Line = value.Line }, scope);
            }
        }
    }

    /// <summary>The value of an expression.</summary>
    public DataNode Of(Expression expression, ScriptScope scope)
    {
        System.Runtime.CompilerServices.RuntimeHelpers.EnsureSufficientExecutionStack();
        var line = LineOf(expression);
        _budget.Spend(1, line);
        return expression switch
        {
            StringLiteral text => new DataNode(line, _budget.Literal(text.Value, line)),
            NumericLiteral number => new DataNode(line, number.Value),
            BooleanLiteral flag => new DataNode(line, flag.Value),
            NullLiteral => new DataNode(line, null),
            TemplateLiteral template => new DataNode(line, Template(template, scope)),
            ParenthesizedExpression inner => Of(inner.Expression, scope),
            ChainExpression chain => Of(chain.Expression, scope),
            Identifier name => scope.Find(name.Name) is { } value ? value with { Line = line } : throw Unknown(name),
            ObjectExpression members => new DataNode(line, Members(members, scope)),
            ArrayExpression items => new DataNode(line, Items(items.Elements, scope)),
            MemberExpression member => Member(member, scope),
            CallExpression call => Call(call, scope),
            ConditionalExpression choice => Of(Of(choice.Test, scope).IsTrue ? choice.Consequent : choice.Alternate, scope),
            LogicalExpression logical => Logical(logical, scope),
            BinaryExpression binary => new DataNode(line, _budget.Made(Binary(binary, scope), line)),
            UnaryExpression unary => new DataNode(
                line, ScriptOperators.Unary(unary.Operator, Of(unary.Argument, scope)) ?? throw Unknown(unary)),
            AssignmentExpression { Operator: Operator.Assignment } assignment => Assign(assignment, scope),
            IFunction function => new DataNode(line, Function(function, scope)),
            _ => throw Unknown(expression),
        };
    }

    private string Template(TemplateLiteral template, ScriptScope scope)
    {
        var text = Quasi(0);
        for (var i = 0; i < template.Expressions.Count; i++)
        {
            text += TextOf(Of(template.Expressions[i], scope), template) + Quasi(i + 1);
            _budget.Made(text, LineOf(template));
        }

        return text;

        string Quasi(int number) => _budget.Literal(template.Quasis[number].Value.Cooked ?? "", LineOf(template));
    }

    /// <summary>The value as a part of a text. A list or an object there is most likely an error of the script.</summary>
    private string TextOf(DataNode value, Node at) =>
        value is { Items: null, Members: null } ? value.Text ?? value.Display : throw Unknown(at);

    private DataMap Members(ObjectExpression members, ScriptScope scope)
    {
        var map = new DataMap();
        foreach (var node in members.Properties)
        {
            switch (node)
            {
                case SpreadElement spread:
                    map.SetAll(_budget.Made(Of(spread.Argument, scope).Members, LineOf(spread)) as DataMap);
                    break;
                case Property { Kind: PropertyKind.Init, Value: Expression value } property:
                    var name = property.Computed ? Of((Expression)property.Key, scope).Text : Name(property.Key);
                    map.Set(_budget.Literal(name ?? throw Unknown(node), LineOf(node)), Of(value, scope) with { Line = LineOf(property) });
                    break;
                default:
                    throw Unknown(node);
            }
        }

        return map;
    }

    private List<DataNode> Items(IEnumerable<Expression?> elements, ScriptScope scope)
    {
        var items = new List<DataNode>();
        foreach (var element in elements)
        {
            if (element is SpreadElement spread)
            {
                items.AddRange(_budget.Made(Of(spread.Argument, scope).Items, LineOf(spread)) as IReadOnlyList<DataNode> ?? []);
            }
            else
            {
                items.Add(element is null ? new DataNode(1, null) : Of(element, scope));
            }
        }

        return items;
    }

    private DataNode Member(MemberExpression member, ScriptScope scope)
    {
        var self = Of((Expression)member.Object, scope);
        var line = LineOf(member);
        var name = (member.Computed ? Of((Expression)member.Property, scope).Text : Name(member.Property)) ?? throw Unknown(member);
        if (member.Object is MemberExpression { Object: Identifier { Name: "process" }, Property: Identifier { Name: "env" } }
            && self.Members?[name] is null)
        {
            _variables.Add((name, line));
        }

        return self.Value switch
        {
            null when member.Optional => new DataNode(line, null),
            null => throw new ImportException(file, line, $"it reads .{name} of something that is not set", remedy),
            DataMap map => map[name] is { } value ? value with { Line = line } : new DataNode(line, null),
            string text when name == "length" => new DataNode(line, (double)text.Length),
            IReadOnlyList<DataNode> items when name == "length" => new DataNode(line, (double)items.Count),
            IReadOnlyList<DataNode> items when int.TryParse(name, out var at) =>
                at >= 0 && at < items.Count ? items[at] : new DataNode(line, null),
            _ => new DataNode(
                line,
                ScriptBuiltins.Method(self, name, (function, given) => Invoke(function, given, line)) ?? throw Unknown(member)),
        };
    }

    private DataNode Call(CallExpression call, ScriptScope scope)
    {
        var line = LineOf(call);
        if (call.Callee is Identifier { Name: "require" })
        {
            return call.Arguments is [StringLiteral name]
                ? new DataNode(line, module(call, name.Value))
                : throw Unknown(call);
        }

        if (Of(call.Callee, scope).Value is not ScriptFunction function)
        {
            throw Unknown(call);
        }

        if (call.Callee is MemberExpression { Property: Identifier { Name: "cpus" or "availableParallelism" } })
        {
            _processors.Add(line);
        }

        return new DataNode(line, Invoke(function, Items(call.Arguments, scope), line));
    }

    private object? Invoke(ScriptFunction function, IReadOnlyList<DataNode> arguments, int line)
    {
        _budget.Spend(1, line);
        _budget.Given(arguments, line);
        return _budget.Made(function(arguments), line);
    }

    private ScriptFunction Function(IFunction function, ScriptScope scope) => arguments =>
    {
        var inner = new ScriptScope(scope);
        for (var i = 0; i < function.Params.Count; i++)
        {
            var given = i < arguments.Count ? arguments[i] : new DataNode(1, null);
            if (function.Params[i] is AssignmentPattern { Right: { } byDefault } pattern)
            {
                Bind(pattern.Left, given.Value is null ? Of(byDefault, scope) : given, inner);
            }
            else
            {
                Bind(function.Params[i], given, inner);
            }
        }

        return function.Body switch
        {
            Expression value => Of(value, inner).Value,
            BlockStatement block => block.Body.Select(one => Run(one, inner)).FirstOrDefault(result => result is not null)?.Value,
            _ => null,
        };
    };

    private DataNode Logical(LogicalExpression logical, ScriptScope scope)
    {
        var left = Of(logical.Left, scope);
        var takesLeft = logical.Operator switch
        {
            Operator.LogicalAnd => !left.IsTrue,
            Operator.LogicalOr => left.IsTrue,
            _ => left.Value is not null,
        };
        return takesLeft ? left : Of(logical.Right, scope);
    }

    private object Binary(BinaryExpression binary, ScriptScope scope)
    {
        var (left, right) = (Of(binary.Left, scope), Of(binary.Right, scope));
        if (binary.Operator is Operator.Addition && (left.Value is string || right.Value is string))
        {
            return TextOf(left, binary) + TextOf(right, binary);
        }

        return ScriptOperators.Binary(binary.Operator, left, right) ?? throw Unknown(binary);
    }

    private DataNode Assign(AssignmentExpression assignment, ScriptScope scope)
    {
        var value = Of(assignment.Right, scope);
        switch (assignment.Left)
        {
            case Identifier name:
                scope.Set(name.Name, value);
                break;
            case MemberExpression member when Of((Expression)member.Object, scope).Members is { } map:
                var key = member.Computed ? Of((Expression)member.Property, scope).Text : Name(member.Property);
                map.Set(key ?? throw Unknown(member), value with { Line = LineOf(member) });
                break;
            default:
                throw Unknown(assignment);
        }

        return value;
    }

    private static string? Name(Node key) => key switch
    {
        Identifier name => name.Name,
        StringLiteral text => text.Value,
        NumericLiteral number => new DataNode(1, number.Value).Text,
        _ => null,
    };

    /// <summary>The line of a part of the script.</summary>
    public static int LineOf(Node node) => node.Location.Start.Line;

    /// <summary>An error at a part that is not run.</summary>
    public ImportException Unknown(Node at)
    {
        var what = at is Identifier name ? $"{at.Type} {name.Name}" : at.Type.ToString();
        return new ImportException(file, LineOf(at), $"the import does not run this part of the script ({what})", remedy);
    }
}
