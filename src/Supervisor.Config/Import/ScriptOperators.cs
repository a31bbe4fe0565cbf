using Acornima;

namespace Supervisor.Config.Import;

/// <summary>The operators of a script. Null: an operator that a configuration does not need.</summary>
internal static class ScriptOperators
{
    public static object? Binary(Operator symbol, DataNode left, DataNode right) => symbol switch
    {
        Operator.Addition => Numeric(left) + Numeric(right),
        Operator.Subtraction => Numeric(left) - Numeric(right),
        Operator.Multiplication => Numeric(left) * Numeric(right),
        Operator.Division => Numeric(left) / Numeric(right),
        Operator.Remainder => Numeric(left) % Numeric(right),
        Operator.StrictEquality => Equals(left.Value, right.Value),
        Operator.StrictInequality => !Equals(left.Value, right.Value),
        Operator.Equality => left.Text == right.Text,
        Operator.Inequality => left.Text != right.Text,
        Operator.LessThan => Numeric(left) < Numeric(right),
        Operator.LessThanOrEqual => Numeric(left) <= Numeric(right),
        Operator.GreaterThan => Numeric(left) > Numeric(right),
        Operator.GreaterThanOrEqual => Numeric(left) >= Numeric(right),
        _ => null,
    };

    public static object? Unary(Operator symbol, DataNode value) => symbol switch
    {
        Operator.LogicalNot => !value.IsTrue,
        Operator.UnaryNegation => -Numeric(value),
        Operator.UnaryPlus => Numeric(value),
        _ => null,
    };

    private static double Numeric(DataNode node) => node.Number ?? (node.Value is bool flag ? flag ? 1 : 0 : double.NaN);
}
