using Spectre.Console;
using Supervisor.Control;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Reports;

/// <summary>A requested and an effective value: one value if they are equal, otherwise "4096 -> 511".</summary>
internal static class RequestedAndEffective
{
    /// <summary>As a cell in a style.</summary>
    public static StyledText Of(ScalarValue? requested, ScalarValue? effective, string arrow, Style? style = null) =>
        new(Text(requested, effective, arrow), style);

    /// <summary>As text.</summary>
    public static string Text(ScalarValue? requested, ScalarValue? effective, string arrow) => (requested, effective) switch
    {
        (null, null) => "",
        (null, { } result) => Value(result),
        ({ } request, null) => Value(request),
        ({ } request, { } result) when request == result => Value(result),
        ({ } request, { } result) => $"{Value(request)} {arrow} {Value(result)}",
    };

    private static string Value(ScalarValue value) => value.Text is "" ? "\"\"" : value.ToString();
}
