using System.Globalization;

namespace Supervisor.Config.Import;

/// <summary>A value of a configuration that is JavaScript, JSON or YAML.</summary>
/// <param name="Line">The line on which it begins, from 1; for the member of an object, the line of its name.</param>
/// <param name="Value">A string, double, bool, list of values, <see cref="DataMap"/> or function; null for null and undefined.</param>
internal sealed record DataNode(int Line, object? Value)
{
    /// <summary>The text of a string, number or truth value; null for other values.</summary>
    public string? Text => Value switch
    {
        string text => text,
        double number => number.ToString("R", CultureInfo.InvariantCulture),
        bool flag => flag ? "true" : "false",
        _ => null,
    };

    /// <summary>The members of an object; null for other values.</summary>
    public DataMap? Members => Value as DataMap;

    /// <summary>The elements of a list; null for other values.</summary>
    public IReadOnlyList<DataNode>? Items => Value as IReadOnlyList<DataNode>;

    /// <summary>Whether it counts as true in a condition.</summary>
    public bool IsTrue => Value is not (null or false or 0.0 or double.NaN or "");

    /// <summary>The number of a number, or of a text that is one; null for other values.</summary>
    public double? Number => Value switch
    {
        double number when double.IsFinite(number) => number,
        string text when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && double.IsFinite(number) => number,
        _ => null,
    };

    /// <summary>The value for a reader, in one line.</summary>
    public string Display => Value switch
    {
        DataMap map => string.Join(", ", map.Select(member => member.Key)),
        IReadOnlyList<DataNode> items => string.Join(", ", items.Select(item => item.Text ?? "...")),
        _ => Text ?? "null",
    };
}
