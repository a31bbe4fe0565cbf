using System.Text;

namespace Supervisor.Listenctl;

/// <summary>
/// Text that others wrote, made fit for a screen: a worker's STATUS=, a process's name and an address can hold any
/// byte, and an escape code among them would act on the reader's terminal.
/// </summary>
internal static class Printable
{
    /// <summary>The same text with every control character as U+FFFD; a line break becomes a space, or stays with <paramref name="keepLines"/>.</summary>
    public static string Of(string text, bool keepLines = false)
    {
        if (!text.Any(char.IsControl))
        {
            return text;
        }

        var clean = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            clean.Append(c switch
            {
                '\n' when keepLines => c,
                '\n' or '\t' => ' ',
                _ when char.IsControl(c) => '\uFFFD',
                _ => c,
            });
        }

        return clean.ToString();
    }
}
