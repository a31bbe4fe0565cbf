using System.Globalization;

namespace Supervisor.Bench;

/// <summary>The table of figures, printed one line at a time.</summary>
internal sealed class FigureTable(TextWriter output)
{
    private bool _begun;

    /// <summary>Writes a line.</summary>
    public void Write(string name, Figure figure)
    {
        if (!_begun)
        {
            _begun = true;
            output.WriteLine($"{"benchmark",-16} {"what",-52} {"listend",10} {"C",10} {"ratio",7}  {"C does"}");
        }

        var yardstick = figure.Yardstick is { } c ? Number(c, figure.Unit) : "";
        var ratio = figure.Yardstick is > 0 and var divisor ? (figure.Ours / divisor).ToString("0.00", CultureInfo.InvariantCulture) : "";
        output.WriteLine($"{name,-16} {figure.What,-52} {Number(figure.Ours, figure.Unit),10} {yardstick,10} {ratio,7}  {figure.Against}");
    }

    private static string Number(double value, string unit) =>
        value.ToString(unit.Length == 0 ? "0" : "0.00", CultureInfo.InvariantCulture) + (unit.Length == 0 ? "" : " " + unit);
}
