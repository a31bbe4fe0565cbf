using Spectre.Console;
using Supervisor.Control;

namespace Supervisor.Listenctl;

/// <summary>What was asked for and what there is: one value where they agree, "4096 -> 511" where they differ.</summary>
internal static class AskedAndGot
{
    /// <summary>As a cell in a style.</summary>
    public static Cell Of(ScalarValue? requested, ScalarValue? effective, string arrow, Style? style = null) =>
        new(Text(requested, effective, arrow), style);

    /// <summary>As text.</summary>
    public static string Text(ScalarValue? requested, ScalarValue? effective, string arrow) => (requested, effective) switch
    {
        (null, null) => "",
        (null, { } got) => Value(got),
        ({ } asked, null) => Value(asked),
        ({ } asked, { } got) when asked == got => Value(got),
        ({ } asked, { } got) => $"{Value(asked)} {arrow} {Value(got)}",
    };

    private static string Value(ScalarValue value) => value.Text is "" ? "\"\"" : value.ToString();
}
