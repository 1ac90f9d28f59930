package verify

// About says what a finding's code means to who reads it for the first time.
type About struct {
	Code     Code
	Severity Severity
	// Means says what was seen, Costs why that loses money or time, Fix what to do,
	// at the sender or at the receiver.
	Means, Costs, Fix string
}

// Codes describes every code, in the order in which deliveries are judged.
func Codes() []About {
	return []About{
		{
			WrongMethod, Violation, "The delivery is not a POST.",
			"A receiver that routes by method never sees it.",
			"Sender: deliver with POST. A health check belongs on another path.",
		},
		{
			UnknownPath, Violation, "Nothing is documented to arrive at this path.",
			"The receiver answers 404, the retries run out, and the event is lost.",
			"Compare the path with those that the listener prints; a doubled or missing prefix is the usual cause.",
		},
		{
			WrongContentType, Violation, "The Content-Type is not JSON in UTF-8.",
			"Frameworks leave such a body unparsed, and handlers then read empty fields.",
			"Sender: say application/json. Middle boxes that rewrite the header have to be told not to.",
		},
		{
			WrongContentEncoding, Violation, "The body is compressed.",
			"Receivers that hash the raw bytes refuse the signature; others cannot parse it.",
			"Sender: send the body as it was signed, without Content-Encoding.",
		},
		{
			WrongFraming, Violation, "Receivers disagree on where this request begins or ends, or which headers it has.",
			"What one of two servers in a row takes for a body is a request to the other: deliveries are lost, or smuggled in.",
			"Sender: one Content-Length or chunks, every line with CR LF, every header in one line. An HTTP library does all that.",
		},
		{
			BodyTooLarge, Violation, "The body is larger than 1 MiB and was not read to its end.",
			"Receivers with a limit refuse it for ever; those without one can be filled up.",
			"Sender: find out what grew. Receiver: keep a limit.",
		},
		{
			BodyUnreadable, Violation, "The connection ended before the whole body had come.",
			"A receiver that works on half a body books something that nobody sent.",
			"Look for a proxy's timeout or limit between the two; the retry has to bring the whole.",
		},
		{
			WrongSignature, Violation, "The signature is missing, malformed, or not made with a known secret over these bytes.",
			"Whoever can reach the endpoint can credit himself, if it accepts what is not signed.",
			"Compare the secrets of both sides (paytest sign, paytest verify-signature); sign and verify the bytes as they are sent.",
		},
		{
			SignatureFamily, Note, "The signature is right for the raw bytes alone, or for the re-serialised body alone.",
			"One half of all receivers, those that verify the other way, refuse every delivery.",
			"Sender: send bodies that JSON.stringify would write the same way: no spaces, shortest numbers, no needless escapes.",
		},
		{
			InvalidJSON, Violation, "The body is not JSON.",
			"Nothing can be booked; a receiver that crashes over it stops taking what is sound, too.",
			"Sender: print it with a JSON library. Receiver: answer 400.",
		},
		{
			DuplicateKey, Violation, "An object names the same member twice.",
			"Parsers disagree on which one counts: the check may read one amount, and the booking the other.",
			"Sender: build objects, not text. Receiver: refuse it.",
		},
		{
			TooDeep, Violation, "Values are nested deeper than any payload needs.",
			"Recursive parsers run out of stack: one delivery ends the process.",
			"Receiver: limit the depth before parsing.",
		},
		{
			InvalidUTF8, Violation, "The body holds bytes that are no UTF-8.",
			"They are replaced silently: names and identifiers no longer match those in your books.",
			"Sender: encode as UTF-8; old customer data may be in another encoding.",
		},
		{
			LoneSurrogate, Violation, "A \\u escape is half of a character.",
			"Some languages keep it, others replace it, databases refuse it: a signature or a key then differs.",
			"Sender: cut text between characters, never between UTF-16 units.",
		},
		{
			UnknownEvent, Violation, "The contract has no event of this name.",
			"A receiver that takes unknown for known books it; one that fails on it asks for retries of no use.",
			"Check the spelling; a new event belongs into the contract first. Receiver: answer what is documented for it.",
		},
		{
			WrongPath, Violation, "The event arrived at the path of another one.",
			"The handler there reads fields that are not there.",
			"Sender: correct the event's address. Receiver: look at the event's name, not at the path alone.",
		},
		{
			UnknownState, Violation, "The state is none that the contract has for this subject.",
			"A default branch in the receiver decides about money.",
			"Check the spelling and the case; a new state belongs into the contract first. Receiver: treat what is unknown as not paid.",
		},
		{
			MissingField, Violation, "A member that the state's payload must have is not there.",
			"Missing amounts become NaN, zero or null in books.",
			"Sender: send it. Receiver: check before booking, and answer 400.",
		},
		{
			WrongType, Violation, "A member has another JSON type than the contract says.",
			"An amount as a number loses digits; a null becomes the text \"null\".",
			"Sender: amounts are decimal strings. Receiver: check the type before use.",
		},
		{
			WrongValue, Violation, "A member has the right type and a form that the contract does not allow.",
			"Lenient readers guess: 1e5 becomes 100000, and 1,000.5 becomes 1.",
			"Sender: keep to the documented form. Receiver: check it with the documented pattern, then use decimals.",
		},
		{
			UnknownField, Warning, "A member that the contract does not know.",
			"Nothing today. A receiver that refuses it loses payments on the day the sender adds a member.",
			"Receiver: ignore it. If it is here to stay, the contract should have it.",
		},
		{
			UnknownValue, Warning, "A value that is none of those the documents name, where they do not say that these are all.",
			"A receiver's switch has no case for it.",
			"Ask the sender whether it is new. Receiver: have a default that does not book.",
		},
		{
			FactDisagreement, Violation, "One payload states the same fact twice, differently.",
			"What is booked depends on which member a receiver happens to read.",
			"Sender: take both from the same place.",
		},
		{
			SelfTransition, Violation, "The state that was left is the state that was entered.",
			"A receiver that acts on every change acts again.",
			"Sender: send an event only when something changes; a repetition is the same event, byte for byte.",
		},
		{
			IllegalTransition, Violation, "The state machine has no transition between these two states.",
			"A final state that is left turns a paid payment into a failed one, after the goods are gone.",
			"Compare with paytest graph. Sender: check the state under a lock. Receiver: never leave a final state.",
		},
		{
			Contradiction, Violation, "This transition and one that was reported before cannot both be on one path.",
			"The payment is both paid and failed; the customer gets the goods and the money.",
			"Sender: two processes changed the same state; serialise them. Receiver: keep the first final state, and alarm.",
		},
		{
			Conflict, Violation, "The same event came again, with other facts.",
			"A receiver that takes the last word books another amount than it booked first.",
			"Sender: a repetition is the stored payload, not a new one. Receiver: compare, keep the first, and alarm.",
		},
		{
			FactDrift, Violation, "A fact that stays for as long as the subject lives has another value than before.",
			"The amount that was shown to the customer is not the one that is credited.",
			"Sender: find what overwrites it. Receiver: book by what was stored when the payment began.",
		},
		{
			BrokenRelation, Violation, "Two facts do not stand to each other as the contract demands.",
			"A payment is called paid though less was received, or failed though all was.",
			"Sender: compute both from one source, with decimals. Receiver: check the relation before booking.",
		},
		{
			ExcludedState, Violation, "Two subjects of one payment report states that exclude each other.",
			"Who looks at one of them credits, who looks at the other refunds.",
			"Sender: change both together. Receiver: credit on one of them alone, and alarm when they disagree.",
		},
		{
			Duplicate, Note, "The same event for the same subject came before.",
			"Nothing by itself: repetitions are part of the contract. An endpoint that books each of them credits twice.",
			"Receiver: a unique key on what was booked, written together with the booking; paytest conform --only idempotency proves it.",
		},
		{
			Late, Note, "An event arrived after one that follows it.",
			"Nothing by itself: no order is guaranteed. An endpoint that takes the last for the newest falls back to an earlier state.",
			"Receiver: order by the state machine, not by arrival; paytest conform --only ordering proves it.",
		},
		{
			Gap, Note, "An earlier transition, which this one implies, was never reported.",
			"A webhook was lost, or the listener came late; what hangs on the lost one does not happen.",
			"Look for failed deliveries at the sender. Receiver: do all that is due when a later state comes.",
		},
		{
			WrongAnswer, Violation, "The endpoint behind --forward-to answered something else than a success in time, or nothing.",
			"The sender tries again and then gives up: the payment stays open.",
			"Answer first and work later, within the documented time; refuse only what will never be right.",
		},
		{
			NotRecorded, Violation, "The journal could not be written, so the delivery was not acknowledged.",
			"Nothing is lost as long as the sender tries again; the disk has to work by then.",
			"Free space, or give --record a file on another disk.",
		},
		{
			RetryEarly, Warning, "A retry came before the documented wait was over.",
			"An endpoint that is down for a moment has used up all its retries.",
			"Sender: wait as documented, from the end of the attempt.",
		},
		{
			RetryLate, Warning, "A retry came long after the documented wait.",
			"Customers wait for what they have paid.",
			"Sender: look for a queue that is behind.",
		},
		{
			RetryExcess, Violation, "More retries came than are documented.",
			"Receivers that count on the limit forget what they saw, and book again.",
			"Sender: stop after the last documented one.",
		},
		{
			RetryMissed, Warning, "A delivery that failed was not tried again in time.",
			"One moment of trouble at the receiver loses the event for ever.",
			"Sender: retry whatever is not answered as a success, timeouts and closed connections, too.",
		},
	}
}
