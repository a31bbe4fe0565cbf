using System.Globalization;
using System.Text;

namespace Supervisor.Config.Diagnostics;

/// <summary>Quotes a user's text for messages: one line of limited length, without control characters.</summary>
internal static class Quoted
{
    private const int MaxCharacters = 80;

    public static string Text(string text)
    {
        var quoted = new StringBuilder("\"");
        for (var i = 0; i < text.Length; i++)
        {
            if (i == MaxCharacters)
            {
                return quoted.Append("...\"").ToString();
            }

            var character = text[i];
            if (char.IsControl(character))
            {
                quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}");
            }
            else
            {
                quoted.Append(character);
            }
        }

        return quoted.Append('"').ToString();
    }

    public static string List(IEnumerable<string> texts) => string.Join(", ", texts.Select(Text));
}
